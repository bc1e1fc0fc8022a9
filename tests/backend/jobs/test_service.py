"""The queue: moves, stops, new attempts, positions; on a real PostgreSQL."""

import asyncio
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.database import SessionFactory, transaction
from backend.ids import new_id
from backend.jobs import lease as leases
from backend.jobs import queue, service
from backend.jobs.schemas import LIVE, TERMINAL, JobStatus, Slot, StopMode
from backend.jobs.tables import JobRow


async def make(session: AsyncSession, **values: Any) -> JobRow:
    given: dict[str, Any] = {
        "kind": "train",
        "spec": {"name": "a"},
        "slot": Slot.TRAINING,
        "owner_id": None,
        "subject_id": new_id(),
    }
    return await service.enqueue(session, **{**given, **values})


async def put(session: AsyncSession, job_id: UUID, status: JobStatus, **values: Any) -> None:
    """Force a state, past the rules."""
    await session.execute(update(JobRow).where(JobRow.id == job_id).values(status=status, **values))


async def test_a_new_job_waits_and_its_history_begins(session: AsyncSession) -> None:
    job = await make(session)
    assert (job.status, job.attempt, job.progress, job.metrics) == (JobStatus.PENDING, 1, 0.0, {})
    [first] = await service.transitions(session, job.id)
    assert (first.from_status, first.to_status, first.reason) == (None, "PENDING", "created")


@pytest.mark.parametrize(("before", "after"), list(product(JobStatus, JobStatus)))
async def test_moves_follow_the_table(
    session: AsyncSession, before: JobStatus, after: JobStatus
) -> None:
    job = await make(session)
    await put(session, job.id, before)
    if after in service.TRANSITIONS[before]:
        moved = await service.move(session, job.id, 1, after, "test")
        assert moved.status == after
        last = (await service.transitions(session, job.id))[-1]
        assert (last.from_status, last.to_status, last.attempt) == (before, after, 1)
    else:
        with pytest.raises(service.InvalidTransition) as refused:
            await service.move(session, job.id, 1, after, "test")
        assert refused.value.status == 409
        assert (await service.get(session, job.id)).status == before


async def test_what_has_ended_only_leaves_by_a_new_attempt() -> None:
    for status in TERMINAL:
        assert service.TRANSITIONS[status] == {JobStatus.PENDING}
    assert JobStatus.STOPPED not in service.TRANSITIONS[JobStatus.COMPLETED]


async def test_an_older_attempt_writes_nothing(session: AsyncSession) -> None:
    job = await make(session)
    await put(session, job.id, JobStatus.FAILED)
    await service.requeue(session, job.id, resume=False)
    with pytest.raises(service.StaleAttempt):
        await service.move(session, job.id, 1, JobStatus.PREPARING, "late")
    with pytest.raises(service.StaleAttempt):
        await service.hold(session, job.id, 1)
    assert (await service.get(session, job.id)).status == JobStatus.PENDING


async def test_stop_of_a_waiting_job_ends_it_at_once(session: AsyncSession) -> None:
    job = await make(session)
    stopped = await service.request_stop(session, job.id, save=True)
    assert stopped.status == JobStatus.STOPPED
    assert stopped.finished_at is not None


@pytest.mark.parametrize("status", sorted(TERMINAL))
async def test_a_late_stop_returns_what_is(session: AsyncSession, status: JobStatus) -> None:
    job = await make(session)
    await put(session, job.id, status)
    assert (await service.request_stop(session, job.id, save=True)).status == status
    assert len(await service.transitions(session, job.id)) == 1


@pytest.mark.parametrize("status", sorted(LIVE))
async def test_a_second_stop_may_only_be_more_urgent(
    session: AsyncSession, status: JobStatus
) -> None:
    job = await make(session)
    await put(session, job.id, status)
    assert (await service.request_stop(session, job.id, save=True)).status == JobStatus.STOPPING
    assert job.stop_requested == StopMode.SAVE
    await service.request_stop(session, job.id, save=False)
    again = await service.request_stop(session, job.id, save=True)
    assert (again.status, again.stop_requested) == (JobStatus.STOPPING, StopMode.DISCARD)
    moves = await service.transitions(session, job.id)
    assert len(moves) == (1 if status == JobStatus.STOPPING else 2)


async def test_resume_needs_a_checkpoint(session: AsyncSession) -> None:
    job = await make(session)
    with pytest.raises(service.InvalidTransition):
        await service.requeue(session, job.id, resume=False)
    await put(session, job.id, JobStatus.FAILED)
    with pytest.raises(service.NotResumable):
        await service.requeue(session, job.id, resume=True)


async def test_resume_keeps_progress_and_restart_does_not(session: AsyncSession) -> None:
    job = await make(session)
    facts = {"attempt": 1, "step": 5, "name": "step-5"}
    before = {
        "resumable": True,
        "checkpoint": facts,
        "step": 5,
        "progress": 0.5,
        "metrics": {"loss": 1.5},
        "event_offset": 999,
        "error": {"code": "engine_crashed"},
        "stop_requested": StopMode.SAVE,
    }
    await put(session, job.id, JobStatus.FAILED, **before)
    resumed = await service.requeue(session, job.id, resume=True)
    assert (resumed.attempt, resumed.resume, resumed.step, resumed.checkpoint) == (
        2,
        True,
        5,
        facts,
    )
    assert (resumed.event_offset, resumed.error, resumed.stop_requested) == (0, None, None)
    await put(session, job.id, JobStatus.FAILED)
    fresh = await service.requeue(session, job.id, resume=False)
    assert (fresh.attempt, fresh.resume, fresh.step, fresh.metrics) == (3, False, 0, {})
    assert (fresh.resumable, fresh.checkpoint) == (False, None)


async def test_one_live_job_per_subject(session: AsyncSession) -> None:
    job = await make(session)
    async with session.begin_nested():
        await make(session, kind="import_dataset", subject_id=job.subject_id)
    with pytest.raises(IntegrityError, match="uq_jobs_live_subject"):
        async with session.begin_nested():
            await make(session, subject_id=job.subject_id)
    await service.request_stop(session, job.id, save=False)
    second = await make(session, subject_id=job.subject_id)
    newest = await service.newest_of(session, job.subject_id)
    assert newest is not None
    assert newest.id == second.id


async def test_two_live_jobs_can_not_hold_one_slot(session: AsyncSession) -> None:
    first, second = await make(session), await make(session)
    await put(session, first.id, JobStatus.RUNNING, slot_index=0)
    with pytest.raises(IntegrityError, match="uq_jobs_slot_index"):
        async with session.begin_nested():
            await put(session, second.id, JobStatus.PREPARING, slot_index=0)


async def test_only_what_has_ended_can_be_deleted(session: AsyncSession) -> None:
    job = await make(session)
    with pytest.raises(service.InvalidTransition):
        await service.delete(session, job.id)
    await service.request_stop(session, job.id, save=False)
    await service.delete(session, job.id)
    with pytest.raises(service.JobNotFound):
        await service.get(session, job.id)
    assert await service.transitions(session, job.id) == []


async def test_positions_count_per_kind_of_slot(session: AsyncSession) -> None:
    first = await make(session)
    light = await make(session, slot=Slot.LIGHT)
    second = await make(session)
    urgent = await make(session, priority=5)
    places = await queue.queue_positions(session, [first.id, light.id, second.id, urgent.id])
    order = {job: place.position for job, place in places.items()}
    assert order == {urgent.id: 1, first.id: 2, second.id: 3, light.id: 1}
    assert {place.reason for place in places.values()} == {"waiting_for_supervisor"}
    await leases.acquire(session, "somebody", slots={"training": 2})
    place = await queue.queue_position(session, first.id)
    assert place == (2, "slot_busy", {"running": 0, "slots": 2})
    await service.request_stop(session, first.id, save=False)
    assert await queue.queue_position(session, first.id) is None


async def test_a_move_that_is_rolled_back_leaves_no_history(sessions: SessionFactory) -> None:
    async with transaction(sessions) as session:
        job = await make(session)

    async def move_and_fail() -> None:
        async with transaction(sessions) as session:
            await service.move(session, job.id, 1, JobStatus.PREPARING, "claimed")
            raise RuntimeError("after the move")

    with pytest.raises(RuntimeError, match="after the move"):
        await move_and_fail()
    async with transaction(sessions) as session:
        assert (await service.get(session, job.id)).status == JobStatus.PENDING
        assert len(await service.transitions(session, job.id)) == 1


async def test_two_movers_of_one_job_do_not_both_win(sessions: SessionFactory) -> None:
    async with transaction(sessions) as session:
        job = await make(session)
        await put(session, job.id, JobStatus.RUNNING)

    async def end(to: JobStatus) -> JobStatus | None:
        try:
            async with transaction(sessions) as session:
                return (await service.move(session, job.id, 1, to, "race")).status
        except service.InvalidTransition:
            return None

    results = await asyncio.gather(
        *(end(to) for to in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED))
    )
    winners = [result for result in results if result is not None]
    assert len(winners) == 1
    async with transaction(sessions) as session:
        assert (await service.get(session, job.id)).status == winners[0]


async def test_work_is_announced_at_commit_and_not_before(
    sessions: SessionFactory, database_url: str
) -> None:
    heard = asyncio.Event()
    listener = await asyncpg.connect(database_url)
    try:
        await listener.add_listener(service.WAKE_CHANNEL, lambda *_: heard.set())
        async with transaction(sessions) as session:
            await make(session)
            await listener.execute("SELECT 1")
            assert not heard.is_set()
        await asyncio.wait_for(heard.wait(), 10)
    finally:
        await listener.close()
