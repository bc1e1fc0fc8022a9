"""Where queued jobs stand, and why they wait."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs import lease
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow

WaitReason = Literal["slot_busy", "waiting_for_supervisor"]


class QueuePlace(NamedTuple):
    """`position` counts from 1 among the jobs that wait for the same kind of slot."""

    position: int
    reason: WaitReason


async def queue_position(session: AsyncSession, job_id: UUID) -> QueuePlace | None:
    """The place of one job; None when it does not wait."""
    return (await queue_positions(session, [job_id])).get(job_id)


async def queue_positions(session: AsyncSession, job_ids: Sequence[UUID]) -> dict[UUID, QueuePlace]:
    """The places of those of `job_ids` that wait, in one query."""
    if not job_ids:
        return {}
    place = func.row_number().over(
        partition_by=JobRow.slot,
        order_by=(JobRow.priority.desc(), JobRow.queued_at, JobRow.id),
    )
    waiting = (
        select(JobRow.id, place.label("place")).where(JobRow.status == JobStatus.PENDING).subquery()
    )
    rows = await session.execute(
        select(waiting.c.id, waiting.c.place).where(waiting.c.id.in_(job_ids))
    )
    places = {row.id: row.place for row in rows}
    if not places:
        return {}
    led = await lease.current(session) is not None
    reason: WaitReason = "slot_busy" if led else "waiting_for_supervisor"
    return {job_id: QueuePlace(position, reason) for job_id, position in places.items()}
