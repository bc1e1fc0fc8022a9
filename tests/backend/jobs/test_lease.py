"""One leader at a time, by the database's clock."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.database import SessionFactory, transaction
from backend.jobs import lease as leases
from backend.jobs.lease import Lease, LostLease


async def test_only_a_free_or_expired_lease_changes_hands(session: AsyncSession) -> None:
    first = await leases.acquire(session, "a")
    assert first is not None
    assert await leases.acquire(session, "b") is None
    assert await leases.current(session) == first
    await session.execute(text("UPDATE supervisor_lease SET expires_at = now() - interval '1 s'"))
    assert await leases.current(session) is None
    second = await leases.acquire(session, "b")
    assert second is not None
    assert second.epoch > first.epoch


async def test_the_former_holder_can_neither_renew_nor_write(session: AsyncSession) -> None:
    first = await leases.acquire(session, "a")
    assert first is not None
    await leases.check(session, first)
    await leases.release(session, first)
    await leases.acquire(session, "b")
    with pytest.raises(LostLease):
        await leases.renew(session, first)
    with pytest.raises(LostLease):
        await leases.check(session, first)
    await leases.release(session, first)  # changes nothing
    present = await leases.current(session)
    assert present is not None
    assert present.holder == "b"


async def test_a_write_in_progress_holds_off_the_change_of_hands(sessions: SessionFactory) -> None:
    async with transaction(sessions) as session:
        lease = await leases.acquire(session, "a", ttl_s=0.0)
        assert lease is not None

    async def take_over() -> Lease | None:
        async with transaction(sessions) as session:
            return await leases.acquire(session, "b")

    async with transaction(sessions) as session:
        await leases.check(session, lease)
        taking = asyncio.create_task(take_over())
        _, waiting = await asyncio.wait([taking], timeout=0.3)
        assert waiting == {taking}
    taken = await taking
    assert taken is not None
    assert taken.epoch == lease.epoch + 1


async def test_many_candidates_one_leader(sessions: SessionFactory) -> None:
    async def run_for(name: str) -> Lease | None:
        async with transaction(sessions) as session:
            return await leases.acquire(session, name)

    results = await asyncio.gather(*(run_for(f"candidate {n}") for n in range(8)))
    assert sum(result is not None for result in results) == 1
