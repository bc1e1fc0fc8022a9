"""Where queued jobs stand, and why they wait."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs import lease
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow

WaitReason = Literal["slot_busy", "waiting_for_supervisor", "host_memory"]
# The order in which jobs are taken for a slot.
QUEUE_ORDER = (JobRow.priority.desc(), JobRow.queued_at, JobRow.id)


class QueuePlace(NamedTuple):
    """`position` counts from 1 among the jobs that wait for the same kind of slot.

    `params` of `host_memory`: `needed_bytes` and `available_bytes`.
    """

    position: int
    reason: WaitReason
    params: dict[str, int]


async def queue_position(session: AsyncSession, job_id: UUID) -> QueuePlace | None:
    """The place of one job; None when it does not wait."""
    return (await queue_positions(session, [job_id])).get(job_id)


async def queue_positions(session: AsyncSession, job_ids: Sequence[UUID]) -> dict[UUID, QueuePlace]:
    """The places of those of `job_ids` that wait, in one query."""
    if not job_ids:
        return {}
    place = func.row_number().over(
        partition_by=JobRow.slot,
        order_by=QUEUE_ORDER,
    )
    waiting = (
        select(JobRow.id, JobRow.wait, place.label("place"))
        .where(JobRow.status == JobStatus.PENDING)
        .subquery()
    )
    rows = (await session.execute(select(waiting).where(waiting.c.id.in_(job_ids)))).all()
    led = bool(rows) and await lease.current(session) is not None
    return {row.id: _place(row.place, row.wait, led) for row in rows}


def _place(position: int, wait: dict[str, Any] | None, led: bool) -> QueuePlace:
    if not led:
        return QueuePlace(position, "waiting_for_supervisor", {})
    if wait is not None:
        return QueuePlace(position, wait["reason"], wait["params"])
    return QueuePlace(position, "slot_busy", {})
