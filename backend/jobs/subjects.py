"""What a thing that tasks use (a data set, a model) knows of jobs: whose it is in use by, how far
its own job is, how that ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, cast, func, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from backend.errors import FieldError
from backend.jobs.schemas import TERMINAL, JobStatus, Use
from backend.jobs.tables import JobRow, UsedByTask

AnyUse = TypeVar("AnyUse", bound=Use)


async def uses(
    session: AsyncSession,
    edge: type[UsedByTask],
    subject: InstrumentedAttribute[UUID],
    ids: Sequence[UUID],
    shape: type[AnyUse],
    columns: Mapping[str, InstrumentedAttribute[Any]] = MappingProxyType({}),
) -> dict[UUID, list[AnyUse]]:
    """The tasks that use each of `ids`, newest first; `subject` is the edge's column for them.

    `columns` of the edge go into the answer by their names.
    """
    query = (
        select(subject, edge.task_id, edge.task_name, JobRow.status, *columns.values())
        .join(JobRow, JobRow.id == edge.job_id)
        .where(subject.in_(ids))
        .order_by(edge.task_id.desc())
    )
    found: dict[UUID, list[AnyUse]] = {}
    for id_, task_id, name, status, *values in await session.execute(query):
        more = dict(zip(columns, values, strict=True))
        found.setdefault(id_, []).append(shape(task_id=task_id, name=name, status=status, **more))
    return found


class NewestUses(NamedTuple):
    """The newest tasks that use a thing, as a JSON array, and how many there are in all."""

    json: str
    total: int


NO_USES = NewestUses("[]", 0)
SHOWN_USES = 20


async def newest_uses(
    session: AsyncSession,
    edge: type[UsedByTask],
    subject: InstrumentedAttribute[UUID],
    ids: Sequence[UUID],
    columns: Mapping[str, InstrumentedAttribute[Any]] = MappingProxyType({}),
) -> dict[UUID, NewestUses]:
    """As `uses`, at most `SHOWN_USES` of each: thousands of tasks may start from one model.

    The database writes the JSON: a list of data sets shows hundreds of these.
    """
    asked = select(func.unnest(cast(ids, ARRAY(Uuid))).label("subject")).subquery()
    newest = (
        select(edge.task_id, edge.task_name, JobRow.status, *columns.values())
        .join(JobRow, JobRow.id == edge.job_id)
        .where(subject == asked.c.subject)
        .order_by(edge.task_id.desc())
        .limit(SHOWN_USES)
        .lateral()
    )
    of = newest.c
    more = [part for name, column in columns.items() for part in (name, of[column.key])]
    told = func.json_build_object(
        "task_id", of.task_id, "name", of.task_name, "status", of.status, *more
    )
    query = (
        select(
            asked.c.subject,
            cast(func.json_agg(aggregate_order_by(told, of.task_id.desc())), Text),
            func.count(),
        )
        .select_from(asked)
        .join(newest, true())
        .group_by(asked.c.subject)
    )
    found = {id_: NewestUses(json, count) for id_, json, count in await session.execute(query)}
    full = [id_ for id_, each in found.items() if each.total == SHOWN_USES]
    if full:
        counts = select(subject, func.count()).where(subject.in_(full)).group_by(subject)
        for id_, count in await session.execute(counts):
            found[id_] = found[id_]._replace(total=count)
    return found


def live(found: Sequence[AnyUse]) -> list[AnyUse]:
    """Those whose task has not ended."""
    return [use for use in found if JobStatus(use.status) not in TERMINAL]


def in_use(users: Sequence[Use]) -> dict[str, Any]:
    """Arguments of the error that refuses a deletion: `count`, `names`, each task."""
    return {
        "params": {"count": len(users), "names": ", ".join(use.name for use in users[:5])},
        "errors": [
            FieldError(
                pointer=f"/used_by/{number}",
                code="in_use",
                message=use.name,
                params={"task_id": str(use.task_id), "name": use.name, "status": use.status},
            )
            for number, use in enumerate(users)
        ],
    }


@dataclass(frozen=True)
class Work:
    """A job under way: how far it is, 0–1, when it will be done, and what it counts."""

    progress: float
    eta_s: float | None
    metrics: Mapping[str, Any]


async def work(session: AsyncSession, ids: Sequence[UUID], *kinds: str) -> dict[UUID, Work]:
    """The jobs of these kinds about these subjects that have not ended."""
    query = select(JobRow.subject_id, JobRow.progress, JobRow.eta_s, JobRow.metrics).where(
        JobRow.subject_id.in_(ids), JobRow.status.not_in(TERMINAL), JobRow.kind.in_(kinds)
    )
    return {id_: Work(*facts) for id_, *facts in await session.execute(query)}


async def progress(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, float]:
    """How far the jobs of these are that have not ended, 0–1."""
    query = select(JobRow.subject_id, JobRow.progress).where(
        JobRow.subject_id.in_(ids), JobRow.status.not_in(TERMINAL)
    )
    return {row.subject_id: row.progress for row in await session.execute(query)}


def trouble_of(job: JobRow, stopped: Mapping[str, str]) -> dict[str, Any]:
    """Why a job ended without success; `stopped` is code, message and hint when it was stopped."""
    if job.error is not None:
        return {name: job.error[name] for name in ("code", "message", "hint", "params")}
    return {**stopped, "params": {}}
