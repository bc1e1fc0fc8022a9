"""The order in which waiting jobs are taken for a slot: where each stands, and why it waits.

Priority first. Among equals the owners share: every job has a turn, which is its number among the
waiting jobs of its owner plus the number of jobs that this owner has running in this kind of slot
or has started in the last day. The lowest turn goes first, then who has waited longest. When a
job is taken its owner's count grows by one and the numbers of the owner's other jobs fall by one,
so the turns of all that wait stay what they are: the place that is shown is the real one until
something is queued, withdrawn, or a day old.

A job that waits for its automatic retry stands behind all that could be taken now.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Subquery, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs import lease
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import LIVE, PENDING, JobRow

WaitReason = Literal[
    "slot_busy", "fair_share", "waiting_for_supervisor", "host_memory", "retry_wait"
]
# Starts count against their owner for so long.
SHARE_WINDOW = timedelta(hours=24)
# Whose jobs have no owner.
NOBODY = UUID(int=0)


class QueuePlace(NamedTuple):
    """`position` counts from 1 among the jobs that wait for the same kind of slot.

    `params`: `running` and `slots` of `slot_busy` and `fair_share`, and `started`, what counts
    against the owner; `needed_bytes` and `available_bytes` of `host_memory`; `code`, `retry` and
    `retries` of `retry_wait`.
    """

    position: int
    reason: WaitReason
    params: dict[str, Any]


def _shares(slot: Slot | None) -> Subquery:
    """How many jobs count against each owner, by kind of slot."""
    owner = func.coalesce(JobRow.owner_id, NOBODY)
    lately = JobRow.started_at > func.now() - SHARE_WINDOW
    shares = select(JobRow.slot, owner.label("owner"), func.count().label("started")).where(
        or_(LIVE, lately)
    )
    if slot is not None:
        shares = shares.where(JobRow.slot == slot)
    return shares.group_by(JobRow.slot, owner).subquery("shares")


def line(slot: Slot | None = None) -> Subquery:
    """Every waiting job (of a kind of slot) with its `place` in the order of being taken, from 1.

    `delayed`: not before its `retry_at`. `arrival` is the place it would have if owners did not
    share. One pass over the waiting jobs and over what was started in the last day.
    """
    delayed = func.coalesce(JobRow.retry_at > func.now(), literal(False))
    first = (JobRow.priority.desc(), JobRow.queued_at, JobRow.id)
    waiting = select(
        JobRow.id,
        JobRow.slot,
        JobRow.owner_id,
        JobRow.priority,
        JobRow.queued_at,
        JobRow.wait,
        delayed.label("delayed"),
        case((delayed, JobRow.retry_at)).label("not_before"),
        func.row_number()
        .over(partition_by=(JobRow.slot, JobRow.owner_id, delayed), order_by=first)
        .label("number"),
    ).where(PENDING)
    if slot is not None:
        waiting = waiting.where(JobRow.slot == slot)
    queued, shares = waiting.subquery("waiting"), _shares(slot)
    own, started = queued.c, func.coalesce(shares.c.started, 0)
    same = and_(shares.c.slot == own.slot, shares.c.owner == func.coalesce(own.owner_id, NOBODY))
    later = (own.delayed, own.not_before, own.priority.desc())
    by_turn = (*later, own.number + started, own.queued_at, own.id)
    by_arrival = (*later, own.queued_at, own.id)
    return (
        select(
            own.id,
            own.slot,
            own.wait,
            own.delayed,
            started.label("started"),
            func.row_number().over(partition_by=own.slot, order_by=by_turn).label("place"),
            func.row_number().over(partition_by=own.slot, order_by=by_arrival).label("arrival"),
        )
        .join_from(queued, shares, same, isouter=True)
        .subquery("line")
    )


def next_in_line(slot: Slot) -> Select[UUID, int]:
    """Id and attempt of the jobs that may be taken now, first things first; limit and lock it."""
    order = line(slot)
    return (
        select(JobRow.id, JobRow.attempt)
        .join(order, order.c.id == JobRow.id)
        # Asked of the row once more: while its lock was waited for it may have been taken.
        .where(JobRow.status == JobStatus.PENDING, ~order.c.delayed)
        .order_by(order.c.place)
    )


def places_of(job_ids: Sequence[UUID]) -> Select[*tuple[Any, ...]]:
    """The part of the line that is asked for, with how many jobs live in each one's slots."""
    order = line()
    running = (
        select(func.count()).where(LIVE, JobRow.slot == order.c.slot).correlate(order)
    ).scalar_subquery()
    return select(order, running.label("running")).where(order.c.id.in_(job_ids))


async def queue_position(session: AsyncSession, job_id: UUID) -> QueuePlace | None:
    """The place of one job; None when it does not wait."""
    return (await queue_positions(session, [job_id])).get(job_id)


async def queue_positions(session: AsyncSession, job_ids: Sequence[UUID]) -> dict[UUID, QueuePlace]:
    """The places of those of `job_ids` that wait, in one query."""
    if not job_ids:
        return {}
    rows = (await session.execute(places_of(job_ids))).all()
    slots = await lease.slots(session) if rows else None
    return {row.id: _place(row, slots) for row in rows}


def _place(row: Any, slots: dict[str, int] | None) -> QueuePlace:
    """`slots`: how many there are of each kind; None while nobody gives them out."""
    if row.delayed:
        wait = row.wait or {}
        params = wait["params"] if wait.get("reason") == "retry_wait" else {}
        return QueuePlace(row.place, "retry_wait", params)
    if slots is None:
        return QueuePlace(row.place, "waiting_for_supervisor", {})
    # Only the first is measured; one that was and is no longer first waits for those before it.
    if row.place == 1 and row.wait is not None and row.wait["reason"] == "host_memory":
        return QueuePlace(row.place, "host_memory", row.wait["params"])
    busy = {"running": row.running, "slots": max(row.running, slots.get(row.slot, 0))}
    if row.place > row.arrival:
        return QueuePlace(row.place, "fair_share", {**busy, "started": row.started})
    return QueuePlace(row.place, "slot_busy", busy)
