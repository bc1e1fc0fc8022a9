"""Finding tasks: every query that depends on who asks is here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import pagination
from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.errors import NotFound
from backend.fragments import version_of
from backend.jobs.schemas import LIVE, JobStatus
from backend.jobs.tables import JobRow, JobTransitionRow
from backend.tasks import list_order
from backend.tasks.tables import TaskRow
from training_engine.contract.choices import Method, Objective

TRAIN = "train"


class TaskNotFound(NotFound):
    """This task does not exist, or it is not yours."""


class Found(NamedTuple):
    """A task with what belongs to it; `completed_attempt` is the newest that has a result."""

    row: TaskRow
    job: JobRow
    owner: str
    completed_attempt: int | None


class Listed(NamedTuple):
    """A task that is to be shown, in the version that it has: what its JSON depends on."""

    id: UUID
    job_id: UUID
    status: JobStatus
    task_version: int
    job_version: int
    owner: str


LISTED: tuple[Any, ...] = (
    TaskRow.id,
    TaskRow.job_id,
    JobRow.status,
    version_of(TaskRow),
    version_of(JobRow),
    UserRow.username,
)


def _everything() -> Select[Any]:
    completed = (
        select(func.max(JobTransitionRow.attempt))
        .where(
            JobTransitionRow.job_id == TaskRow.job_id,
            JobTransitionRow.to_status == JobStatus.COMPLETED,
        )
        .correlate(TaskRow)
        .scalar_subquery()
    )
    return (
        select(TaskRow, JobRow, UserRow.username, completed)
        .join(JobRow, JobRow.id == TaskRow.job_id)
        .join(UserRow, UserRow.id == TaskRow.owner_id)
    )


def _listed() -> Select[Any]:
    return (
        select(*LISTED)
        .join(JobRow, JobRow.id == TaskRow.job_id)
        .join(UserRow, UserRow.id == TaskRow.owner_id)
    )


async def find(
    session: AsyncSession, user: UserRow, task_id: UUID, action: Action = Action.READ
) -> Found:
    """The task, when `user` may do `action` to it; raises `TaskNotFound` or `Forbidden`."""
    query = policy.visible(_everything().where(TaskRow.id == task_id), user, TaskRow.owner_id)
    line = (await session.execute(query)).one_or_none()
    if line is None:
        raise TaskNotFound
    found = Found(*line)
    policy.require(user, action, found.row.owner_id)
    return found


async def find_listed(session: AsyncSession, user: UserRow, task_id: UUID) -> Listed:
    """As `find`, for reading what stayed the same."""
    query = policy.visible(_listed().where(TaskRow.id == task_id), user, TaskRow.owner_id)
    line = (await session.execute(query)).one_or_none()
    if line is None:
        raise TaskNotFound
    return Listed(*line)


async def find_many(session: AsyncSession, task_ids: Sequence[UUID]) -> list[Found]:
    """Tasks by id, whoever asks: for the server's own watching, never for an answer."""
    lines = await session.execute(_everything().where(TaskRow.id.in_(task_ids)))
    return [Found(*line) for line in lines]


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks a list shows; of a list of values any one will do, of `tags` all are needed."""

    q: str | None = None
    statuses: Sequence[JobStatus] | None = None
    methods: Sequence[Method] | None = None
    objectives: Sequence[Objective] | None = None
    model_ids: Sequence[UUID] | None = None
    dataset_ids: Sequence[UUID] | None = None
    owners: Sequence[str] | None = None
    tags: Sequence[str] | None = None

    def apply(self, query: Select[Any]) -> Select[Any]:
        """`query` with what is asked for."""
        wanted: tuple[tuple[Any, Sequence[Any] | None], ...] = (
            (JobRow.status, self.statuses),
            (TaskRow.method, self.methods),
            (TaskRow.objective, self.objectives),
            (TaskRow.model_id, self.model_ids),
            (TaskRow.dataset_id, self.dataset_ids),
            (UserRow.username, self.owners and [name.lower() for name in self.owners]),
        )
        for column, values in wanted:
            if values:
                query = query.where(column.in_(values))
        if self.tags:
            query = query.where(TaskRow.tags.contains(list(self.tags)))
        if self.q and self.q.strip():
            words = (
                TaskRow.name,
                TaskRow.description,
                TaskRow.output_name,
                TaskRow.model_name,
                TaskRow.dataset_name,
            )
            said = (word.icontains(self.q.strip(), autoescape=True) for word in words)
            query = query.where(or_(*said))
        return query


async def list_page(
    session: AsyncSession,
    user: UserRow,
    wanted: TaskFilter,
    *,
    limit: int,
    cursor: str | None,
    sort: str | None = None,
) -> tuple[list[Listed], str | None]:
    """Tasks that `user` may see, in the order asked for, and the cursor of the next page.

    Raises `UnknownOrder` and `BadCursor`.
    """
    query = wanted.apply(policy.visible(_listed(), user, TaskRow.owner_id))
    order = list_order.parse(sort)
    if order.is_newest_first:
        lines = await session.execute(pagination.after(query, TaskRow.id, cursor, limit))
        page, last = pagination.cut([Listed(*line) for line in lines], limit)
        return page, str(last.id) if last else None
    ordered = await session.execute(order.after(query, cursor).limit(limit + 1))
    rows, end = pagination.cut(list(ordered), limit)
    return [Listed(*row[: len(Listed._fields)]) for row in rows], order.cursor(end) if end else None


async def count_unfinished(session: AsyncSession, owner_id: UUID) -> int:
    """How many of a user's tasks wait or run."""
    query = (
        select(func.count())
        .select_from(TaskRow)
        .join(JobRow, JobRow.id == TaskRow.job_id)
        .where(TaskRow.owner_id == owner_id, JobRow.status.in_([JobStatus.PENDING, *LIVE]))
    )
    return await session.scalar(query) or 0


async def output_name_is_free(session: AsyncSession, owner_id: UUID, output_name: str) -> bool:
    """Whether no task of this user produces a model of that name, whatever the case."""
    query = select(TaskRow.id).where(
        TaskRow.owner_id == owner_id, func.lower(TaskRow.output_name) == output_name.lower()
    )
    return await session.scalar(query.limit(1)) is None
