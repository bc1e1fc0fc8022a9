"""Takes queued jobs for the slots that are free."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs import lease as leases
from backend.jobs import service
from backend.jobs.lease import Lease
from backend.jobs.queue import next_in_line
from backend.jobs.schemas import LIVE, JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.runner.slots import Slots, free_places


async def claim(
    session: AsyncSession,
    lease: Lease,
    slots: Slots,
    heads: Mapping[Slot, UUID | None] | None = None,
) -> list[JobRow]:
    """Move as many waiting jobs as there are free slots to PREPARING; returns them.

    Of a slot that `heads` names, this one job is taken and no other (none for None).

    Claims are one at a time (the lease row is locked), so slots are counted right; a job that
    somebody else is just changing is skipped and found again with the next claim. That a slot
    never holds two is also a unique index.
    """
    await leases.check(session, lease, alone=True)
    live = await session.execute(
        select(JobRow.slot, JobRow.host, JobRow.slot_index).where(JobRow.status.in_(LIVE))
    )
    used: dict[Slot, list[tuple[str, int | None]]] = {}
    for slot, host, index in live:
        used.setdefault(slot, []).append((host, index))
    claimed: list[JobRow] = []
    for slot in Slot:
        free = free_places(slots, slot, used.get(slot, []))
        if not free:
            continue
        query = next_in_line(slot)
        if heads is not None and slot in heads:
            query = query.where(JobRow.id == heads[slot])
        waiting = await session.execute(
            query.limit(len(free)).with_for_update(of=JobRow, skip_locked=True)
        )
        for (job_id, attempt), place in zip(waiting.all(), free, strict=False):
            claimed.append(await _take(session, job_id, attempt, place))
    return claimed


async def _take(
    session: AsyncSession, job_id: UUID, attempt: int, place: tuple[str, int]
) -> JobRow:
    host, slot_index = place
    return await service.move(
        session,
        job_id,
        attempt,
        JobStatus.PREPARING,
        "claimed",
        host=host,
        slot_index=slot_index,
        phase=service.LAUNCHING,
        started_at=func.now(),
        heartbeat_at=func.now(),
        wait=None,
        retry_at=None,
    )
