"""The order of the queue: what is shown is what happens, and nobody is starved."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from backend.database import SessionFactory
from backend.ids import new_id
from backend.jobs import lease as leases
from backend.jobs import queue, retries, service
from backend.jobs.schemas import JobStatus, Priority, Slot
from backend.jobs.tables import JobRow
from tests.effort import examples

ANN, BEN, CAT = (UUID(int=number) for number in (1, 2, 3))


async def add(session: AsyncSession, owner: UUID | None, **columns: Any) -> UUID:
    """A job in the queue, one second later than the ones before."""
    count = await session.scalar(select(func.count()).select_from(JobRow)) or 0
    given: dict[str, Any] = {
        "kind": "train",
        "spec": {},
        "slot": Slot.TRAINING,
        "owner_id": owner,
        "subject_id": new_id(),
        "queued_at": func.now() - timedelta(days=2) + timedelta(seconds=count),
    }
    job = JobRow(**{**given, **columns})
    session.add(job)
    await session.flush()
    return job.id


async def order(session: AsyncSession) -> list[UUID]:
    rows = await session.execute(queue.next_in_line(Slot.TRAINING))
    return [row.id for row in rows]


async def take(session: AsyncSession, job_id: UUID) -> None:
    """It is claimed and runs."""
    running: dict[str, Any] = {"status": JobStatus.RUNNING, "started_at": func.now()}
    await session.execute(update(JobRow).where(JobRow.id == job_id).values(**running))


async def test_fifty_do_not_starve_one(session: AsyncSession) -> None:
    many = [await add(session, ANN) for _ in range(50)]
    one = await add(session, BEN)
    assert await order(session) == [many[0], one, *many[1:]]
    await take(session, many[0])
    assert (await order(session))[0] == one
    place = await queue.queue_position(session, many[1])
    assert place is not None
    assert (place.position, place.reason) == (2, "waiting_for_supervisor")
    await leases.acquire(session, "somebody", slots={"training": 1})
    busy = {"running": 1, "slots": 1}
    assert await queue.queue_position(session, one) == (1, "slot_busy", busy)
    passed = await queue.queue_position(session, many[1])
    assert passed == (2, "fair_share", {**busy, "started": 1})


async def test_what_was_started_yesterday_counts_no_longer(session: AsyncSession) -> None:
    long_ago = func.now() - timedelta(hours=25)
    await add(session, ANN, status=JobStatus.COMPLETED, started_at=long_ago)
    first, second = await add(session, ANN), await add(session, BEN)
    assert await order(session) == [first, second]
    lately = func.now() - timedelta(hours=23)
    await add(session, ANN, status=JobStatus.FAILED, started_at=lately)
    assert await order(session) == [second, first]


async def test_what_still_runs_counts_however_old_it_is(session: AsyncSession) -> None:
    long_ago = func.now() - timedelta(days=3)
    await add(session, ANN, status=JobStatus.RUNNING, started_at=long_ago)
    first, second = await add(session, ANN), await add(session, BEN)
    assert await order(session) == [second, first]


async def test_other_kinds_of_slots_do_not_count(session: AsyncSession) -> None:
    await add(session, ANN, slot=Slot.LIGHT, status=JobStatus.RUNNING, started_at=func.now())
    first, second = await add(session, ANN), await add(session, BEN)
    assert await order(session) == [first, second]


async def test_priority_comes_before_fairness(session: AsyncSession) -> None:
    await add(session, ANN, status=JobStatus.RUNNING, started_at=func.now())
    low = await add(session, BEN, priority=-1)
    normal = await add(session, ANN)
    high = await add(session, ANN, priority=1)
    assert await order(session) == [high, normal, low]


async def test_jobs_without_an_owner_share_as_one(session: AsyncSession) -> None:
    nobody = [await add(session, None) for _ in range(3)]
    ann = await add(session, ANN)
    assert await order(session) == [nobody[0], ann, *nobody[1:]]


async def test_a_retry_that_waits_is_not_taken_and_comes_last(session: AsyncSession) -> None:
    soon, later = func.now() + timedelta(minutes=1), func.now() + timedelta(minutes=9)
    slow = await add(session, BEN, priority=1, retry_at=later)
    quick = await add(session, CAT, retry_at=soon)
    due = await add(session, CAT, retry_at=func.now() - timedelta(minutes=1))
    first = await add(session, ANN, priority=-1)
    assert await order(session) == [due, first]
    places = await queue.queue_positions(session, [slow, quick, due, first])
    found = [(places[job].position, places[job].reason) for job in (due, first, quick, slow)]
    plain, waits = "waiting_for_supervisor", "retry_wait"
    assert found == [(1, plain), (2, plain), (3, waits), (4, waits)]


JOB = st.tuples(
    st.sampled_from([ANN, BEN, CAT, None]),  # whose
    st.sampled_from([-1, 0, 0, 0, 1]),  # priority
    st.sampled_from(["waits", "waits", "waits", "ran", "runs"]),
    st.integers(0, 5),  # second in which it was queued
)


@given(jobs=st.lists(JOB, min_size=1, max_size=12), ends=st.lists(st.booleans(), max_size=12))
@examples(40)
async def test_the_order_shown_is_the_order_taken(
    sessions: SessionFactory, jobs: list[tuple[UUID | None, int, str, int]], ends: list[bool]
) -> None:
    """One after the other is taken, some end in between: each time the first of what is left."""
    async with sessions() as session:
        for owner, priority, state, second in jobs:
            started = None if state == "waits" else func.now() - timedelta(hours=1)
            status = {"waits": "PENDING", "ran": "FAILED", "runs": "RUNNING"}[state]
            queued_at = func.now() - timedelta(days=1) + timedelta(seconds=second)
            values = {"status": JobStatus(status), "started_at": started, "queued_at": queued_at}
            await add(session, owner, priority=priority, **values)
        shown = await order(session)
        places = await queue.queue_positions(session, shown)
        assert [places[job].position for job in shown] == list(range(1, len(shown) + 1))
        finished = iter(ends)
        for number, job in enumerate(shown):
            assert await order(session) == shown[number:]
            await take(session, job)
            if next(finished, False):
                ended = update(JobRow).where(JobRow.id == job)
                await session.execute(ended.values(status=JobStatus.COMPLETED))
        await session.rollback()


async def test_ten_thousand_tasks(engine: AsyncEngine, sessions: SessionFactory) -> None:
    """Places come from one query that reads no table from end to end, in little time."""
    statements: list[str] = []

    def heard(*arguments: Any) -> None:
        statements.append(arguments[2])

    async with sessions() as session:
        shared = {"kind": "train", "spec": {"text": "x" * 2000}, "slot": Slot.TRAINING}
        owners = [UUID(int=number) for number in range(1, 41)]

        def row(number: int, **columns: Any) -> dict[str, Any]:
            own = {"id": new_id(), "subject_id": new_id(), "owner_id": owners[number % 40]}
            return {**shared, **own, **columns}

        ended = {"status": JobStatus.COMPLETED}
        await session.execute(insert(JobRow), [row(n, **ended) for n in range(9000)])
        await session.execute(
            text("UPDATE jobs SET started_at = now() - random() * interval '90 days'")
        )
        waiting = [row(n) for n in range(1000)]
        await session.execute(insert(JobRow), waiting)
        await session.execute(text("ANALYZE jobs"))
        asked = [job["id"] for job in waiting[:50]]
        event.listen(engine.sync_engine, "before_cursor_execute", heard)
        began = time.perf_counter()
        places = await queue.queue_positions(session, asked)
        took_s = time.perf_counter() - began
        event.remove(engine.sync_engine, "before_cursor_execute", heard)
        assert len(places) == 50
        assert sum("jobs" in statement for statement in statements) == 1
        query = str(
            queue.places_of(asked).compile(
                engine.sync_engine, compile_kwargs={"literal_binds": True}
            )
        )
        plan = "\n".join(
            (await session.scalars(text("EXPLAIN " + query.replace(":", r"\:")))).all()
        )
        await session.rollback()
    assert "Seq Scan on jobs" not in plan
    assert "ix_jobs_queue" in plan
    assert took_s < 0.5, plan


async def test_a_priority_counts_only_while_it_waits(session: AsyncSession) -> None:
    job_id = await add(session, ANN)
    await retries.set_priority(session, await service.get(session, job_id), Priority.HIGH)
    assert (await service.get(session, job_id)).priority == 1
    await take(session, job_id)
    job = await service.get(session, job_id)
    await retries.set_priority(session, job, Priority.HIGH)  # that is no change
    with pytest.raises(retries.NotWaiting) as refused:
        await retries.set_priority(session, job, Priority.LOW)
    assert refused.value.status == 409
