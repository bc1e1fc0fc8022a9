"""Automatic retry: only when the machine is at fault, after a pause, and only so often."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from backend.database import transaction
from backend.jobs import service
from backend.jobs.queue import queue_position
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner.supervisor import Supervisor
from tests.backend.runner import outcome
from tests.backend.runner.conftest import ENDLESS, QUICK, Bench

Start = Callable[..., Awaitable[Supervisor]]
SOON = replace(QUICK, retry_after_s=(0.3, 0.6))
NEVER = replace(QUICK, retry_after_s=(3600.0,))


async def queue(bench: Bench, retries: int, **fake: Any) -> UUID:
    job_id = await bench.queue(**fake)
    async with transaction(bench.sessions) as session:
        await session.execute(
            update(JobRow).where(JobRow.id == job_id).values(automatic_retries=retries)
        )
    return job_id


async def reasons(bench: Bench, job_id: UUID) -> list[str]:
    return [move.reason for move in await bench.history(job_id)]


async def test_a_crash_loop_ends(bench: Bench, start: Start) -> None:
    job_id = await queue(bench, 2, steps=9, kill_at=1)
    await start(timeouts=SOON)
    job = await bench.until_ended(job_id)
    assert (job.status, job.attempt, job.retries) == (JobStatus.FAILED, 3, 2)
    assert job.error is not None
    assert job.error["code"] == "engine_crashed"
    assert (job.failures, job.retry_at, job.wait) == ({"infrastructure": 3}, None, None)
    said = await reasons(bench, job_id)
    assert said.count("automatic_retry") == 2
    assert said.count("engine_crashed") == 3
    # The feature hears of the end, not of what was tried again.
    assert outcome.told == [(str(job_id), 3, "FAILED")]
    moves = await bench.history(job_id)
    waits = [
        (claimed.at - queued.at).total_seconds()
        for queued, claimed in pairwise(moves)
        if queued.reason == "automatic_retry"
    ]
    assert waits[0] >= 0.3
    assert waits[1] >= 0.6


async def test_it_goes_on_from_the_last_checkpoint(bench: Bench, start: Start) -> None:
    job_id = await queue(bench, 1, steps=9, kill_at=5)
    await start(timeouts=SOON)
    job = await bench.until_ended(job_id)
    assert (job.attempt, job.resume) == (2, True)
    spec = bench.folder(job).spec()
    assert spec is not None
    assert spec["resume_from"].endswith("/1/checkpoints/step-00000004")


@pytest.mark.parametrize(
    ("fake", "kind"),
    [
        ({"fail_at": 2, "code": "nan_loss"}, "own"),
        ({"fail_at": 2, "code": "disk_full"}, "infrastructure"),
        ({"crash_at": 2}, "internal"),
    ],
)
async def test_what_does_not_pass_is_not_tried_again(
    bench: Bench, start: Start, fake: dict[str, Any], kind: str
) -> None:
    job_id = await queue(bench, 3, steps=5, **fake)
    await start(timeouts=SOON)
    job = await bench.until_ended(job_id)
    assert (job.status, job.attempt, job.retries) == (JobStatus.FAILED, 1, 0)
    assert job.failures == {kind: 1}


async def test_without_being_asked_for_nothing_is_tried_again(bench: Bench, start: Start) -> None:
    job_id = await queue(bench, 0, steps=5, kill_at=2)
    await start(timeouts=SOON)
    job = await bench.until_ended(job_id)
    assert (job.status, job.attempt) == (JobStatus.FAILED, 1)


async def waiting(bench: Bench, job_id: UUID) -> JobRow:
    return await bench.until(job_id, lambda job: job.retry_at is not None)


async def test_while_it_waits_it_says_so_and_others_pass(bench: Bench, start: Start) -> None:
    job_id = await queue(bench, 2, steps=5, kill_at=1)
    await start(timeouts=NEVER)
    job = await waiting(bench, job_id)
    assert (job.status, job.attempt, job.retries, job.error) == (JobStatus.PENDING, 2, 1, None)
    other = await bench.until_ended(await bench.queue(steps=1))
    assert other.status == JobStatus.COMPLETED
    async with transaction(bench.sessions) as session:
        place = await queue_position(session, job_id)
    assert place == (1, "retry_wait", {"code": "engine_crashed", "retry": 1, "retries": 2})


async def test_a_stop_ends_the_wait(bench: Bench, start: Start) -> None:
    job_id = await queue(bench, 2, steps=5, kill_at=3)
    await start(timeouts=NEVER)
    await waiting(bench, job_id)
    job = await bench.stop(job_id, save=True)
    assert (job.status, job.retry_at, job.wait) == (JobStatus.STOPPED, None, None)
    assert job.resumable
    again = await bench.requeue(job_id, resume=True)
    assert (again.retries, again.retry_at) == (0, None)  # it was asked for: all tries are left


async def test_a_deletion_ends_the_wait(bench: Bench, start: Start) -> None:
    job_id = await queue(bench, 2, steps=5, kill_at=1)
    await start(timeouts=NEVER)
    job = await waiting(bench, job_id)
    async with transaction(bench.sessions) as session:
        assert await service.forget(session, job.subject_id) == [job_id]
    async with transaction(bench.sessions) as session:
        with pytest.raises(service.JobNotFound):
            await service.get(session, job_id)


async def test_what_was_to_stop_is_not_tried_again(bench: Bench, start: Start) -> None:
    """Killed in the middle of a stop: the user wanted an end and gets it."""
    job_id = await queue(bench, 3, **ENDLESS)
    await start(timeouts=SOON)
    job = await bench.until_step(job_id, 2)
    host, engine = bench.host_and_engine(job)
    engine.suspend()
    await bench.stop(job_id, save=True)
    for process in (host, engine):
        process.kill()
    job = await bench.until_ended(job_id)
    assert (job.status, job.attempt) == (JobStatus.STOPPED, 1)


async def test_a_hung_engine_is_gone_before_the_next_begins(bench: Bench, start: Start) -> None:
    quick = replace(SOON, stall_step_s=0.5, stall_factor=0.0, hard_factor=2.0)
    job_id = await queue(bench, 1, steps=9, hang_at=3, stubborn=True)
    await start(timeouts=quick)
    job = await bench.until(job_id, lambda job: job.attempt == 2)
    job.attempt = 1
    assert bench.processes(job) == []
    job = await bench.until_ended(job_id)
    assert (job.attempt, job.failures) == (2, {"infrastructure": 2})
