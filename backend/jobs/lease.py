"""Leadership: one row with an epoch, judged by the database's clock.

No advisory lock: a paused holder would keep it. A holder that was paused finds its epoch gone at
its next write, and nothing it had in mind happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from backend.jobs.tables import SupervisorLeaseRow

TTL_S = 60.0


class LostLease(Exception):
    """Another supervisor leads; what this one had in mind must not happen."""


@dataclass(frozen=True)
class Lease:
    """Held by `holder` since the change of hands number `epoch`."""

    epoch: int
    holder: str


def _until(ttl_s: float) -> ColumnElement[object]:
    return func.clock_timestamp() + text("make_interval(secs => :ttl_s)").bindparams(ttl_s=ttl_s)


async def acquire(
    session: AsyncSession,
    holder: str,
    ttl_s: float = TTL_S,
    slots: Mapping[str, int] | None = None,
) -> Lease | None:
    """Take the lease when it is free, expired or already `holder`'s; else None.

    `slots`: how many of each kind the holder gives out, for others to read.
    """
    row = SupervisorLeaseRow
    given = {
        "holder": holder,
        "expires_at": _until(ttl_s),
        "slots": dict(slots) if slots is not None else None,
    }
    statement = (
        insert(row)
        .values(id=1, epoch=1, **given)
        .on_conflict_do_update(
            index_elements=[row.id],
            set_={"epoch": row.epoch + 1, **given},
            where=(row.expires_at <= func.clock_timestamp()) | (row.holder == holder),
        )
        .returning(row.epoch)
    )
    epoch = await session.scalar(statement)
    return Lease(epoch, holder) if epoch is not None else None


async def renew(session: AsyncSession, lease: Lease, ttl_s: float = TTL_S) -> None:
    """Hold on for another `ttl_s`; raises `LostLease`."""
    row = SupervisorLeaseRow
    statement = (
        update(row)
        .where(row.epoch == lease.epoch, row.holder == lease.holder)
        .values(expires_at=_until(ttl_s))
        .returning(row.epoch)
    )
    if await session.scalar(statement) is None:
        raise LostLease


async def release(session: AsyncSession, lease: Lease) -> None:
    """Let another one take over at once; nothing happens when it is already lost."""
    row = SupervisorLeaseRow
    await session.execute(
        update(row)
        .where(row.epoch == lease.epoch, row.holder == lease.holder)
        .values(expires_at=func.clock_timestamp())
    )


async def check(session: AsyncSession, lease: Lease, *, alone: bool = False) -> None:
    """Fence of a write: raises `LostLease`, or holds any change of hands off until commit.

    `alone` also holds off every other transaction that checks: claims are then one at a time.
    """
    row = SupervisorLeaseRow
    query = select(row.epoch).where(row.epoch == lease.epoch, row.holder == lease.holder)
    query = query.with_for_update(read=not alone)
    if await session.scalar(query) is None:
        raise LostLease


async def current(session: AsyncSession) -> Lease | None:
    """Who leads now, or None."""
    row = SupervisorLeaseRow
    found = await session.execute(
        select(row.epoch, row.holder).where(row.expires_at > func.clock_timestamp())
    )
    line = found.one_or_none()
    return Lease(line.epoch, line.holder) if line is not None else None


async def slots(session: AsyncSession) -> dict[str, int] | None:
    """How many slots of each kind the present leader gives out; None while nobody leads."""
    row = SupervisorLeaseRow
    found = await session.execute(select(row.slots).where(row.expires_at > func.clock_timestamp()))
    line = found.one_or_none()
    return None if line is None else {**(line.slots or {})}
