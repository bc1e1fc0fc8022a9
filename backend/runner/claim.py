"""Takes queued jobs for the slots that are free."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs import lease as leases
from backend.jobs import service
from backend.jobs.lease import Lease
from backend.jobs.queue import QUEUE_ORDER
from backend.jobs.schemas import LIVE, JobStatus, Slot
from backend.jobs.tables import JobRow


async def claim(
    session: AsyncSession,
    lease: Lease,
    slots: Mapping[Slot, int],
    heads: Mapping[Slot, UUID | None] | None = None,
) -> list[JobRow]:
    """Move as many waiting jobs as there are free slots to PREPARING; returns them.

    Of a slot that `heads` names, this one job is taken and no other (none for None).

    Claims are one at a time (the lease row is locked), so slots are counted right; a job that
    somebody else is just changing is skipped and found again with the next claim. That a slot
    never holds two is also a unique index.
    """
    await leases.check(session, lease, alone=True)
    claimed: list[JobRow] = []
    for slot, total in slots.items():
        used = set(
            await session.scalars(
                select(JobRow.slot_index).where(JobRow.status.in_(LIVE), JobRow.slot == slot)
            )
        )
        free = [index for index in range(total) if index not in used][: total - len(used)]
        if not free:
            continue
        query = select(JobRow.id, JobRow.attempt).where(
            JobRow.status == JobStatus.PENDING, JobRow.slot == slot
        )
        if heads is not None and slot in heads:
            query = query.where(JobRow.id == heads[slot])
        waiting = await session.execute(
            query.order_by(*QUEUE_ORDER).limit(len(free)).with_for_update(skip_locked=True)
        )
        for (job_id, attempt), index in zip(waiting.all(), free, strict=False):
            claimed.append(
                await service.move(
                    session,
                    job_id,
                    attempt,
                    JobStatus.PREPARING,
                    "claimed",
                    slot_index=index,
                    phase=service.LAUNCHING,
                    started_at=func.now(),
                    heartbeat_at=func.now(),
                    wait=None,
                )
            )
    return claimed
