"""Stop at every moment: one terminal state, nothing left alive, a checkpoint when asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from backend.jobs.event_file import last_event
from backend.jobs.schemas import TERMINAL, JobStatus
from backend.runner.supervisor import Supervisor
from tests.backend.runner.conftest import ENDLESS, QUICK, Bench
from training_engine.contract.events import Finished, Stopped

Start = Callable[..., Awaitable[Supervisor]]
IMPATIENT = replace(QUICK, save_s=0.4, terminate_s=0.4)


async def test_a_stop_that_saves_can_be_resumed(bench: Bench, supervisor: Supervisor) -> None:
    job = await bench.until_step(await bench.queue(save_every=5_000_000, **ENDLESS), 3)
    assert (await bench.stop(job.id, save=True)).status == JobStatus.STOPPING
    job = await bench.until_ended(job.id)
    assert (job.status, job.error, job.resumable) == (JobStatus.STOPPED, None, True)
    assert job.checkpoint is not None
    assert job.checkpoint["step"] == job.step
    last = last_event(bench.folder(job).events_file)
    assert isinstance(last, Stopped)
    assert last.checkpoint == job.checkpoint["name"]

    resumed = await bench.requeue(job.id, resume=True)
    assert resumed.attempt == 2
    job = await bench.until_step(job.id, 1)
    job = await bench.stop_and_wait(job.id)
    assert (job.status, job.attempt, job.resumable) == (JobStatus.STOPPED, 2, True)
    spec = bench.folder(job).spec_file.read_text()
    assert f"{job.id}/1/checkpoints/{last.checkpoint}" in spec


async def test_an_engine_that_never_pauses_is_still_told_to_stop(
    bench: Bench, supervisor: Supervisor
) -> None:
    """It says more than can be taken in: the supervisor must not read for ever."""
    job = await bench.until_step(await bench.queue(steps=10**9, step_s=0.0, save_every=10**9), 1)
    job = await bench.stop_and_wait(job.id)
    assert job.status == JobStatus.STOPPED


async def test_a_stop_that_discards_leaves_no_checkpoint(
    bench: Bench, supervisor: Supervisor
) -> None:
    job = await bench.until_step(await bench.queue(save_every=5_000_000, **ENDLESS), 2)
    await bench.stop(job.id, save=False)
    job = await bench.until_ended(job.id)
    assert (job.status, job.resumable, job.checkpoint) == (JobStatus.STOPPED, False, None)
    with pytest.raises(Exception, match="no checkpoint"):
        await bench.requeue(job.id, resume=True)


async def test_a_stop_before_the_engine_is_up(bench: Bench, supervisor: Supervisor) -> None:
    job_id = await bench.queue(**ENDLESS)
    await bench.until(job_id, lambda job: job.status != JobStatus.PENDING)
    stopping = await bench.stop(job_id, save=False)
    assert stopping.status == JobStatus.STOPPING
    job = await bench.until_ended(job_id)
    assert job.status == JobStatus.STOPPED
    assert bench.processes(job) == []


async def test_a_stop_in_the_queue_starts_nothing(bench: Bench, start: Start) -> None:
    job_id = await bench.queue()
    assert (await bench.stop(job_id, save=True)).status == JobStatus.STOPPED
    await start()
    other = await bench.until_ended(await bench.queue(steps=1))
    assert other.status == JobStatus.COMPLETED
    assert not bench.folder(await bench.get(job_id)).path.exists()


async def test_an_engine_that_does_not_listen_is_killed(bench: Bench, start: Start) -> None:
    await start(timeouts=IMPATIENT)
    job = await bench.until_step(await bench.queue(steps=9, hang_at=3, stubborn=True), 2)
    _host, engine = bench.host_and_engine(job)
    await bench.stop(job.id, save=True)
    job = await bench.until_ended(job.id)
    assert (job.status, job.error, job.resumable) == (JobStatus.STOPPED, None, True)
    assert not engine.is_running()
    assert bench.processes(job) == []
    facts = bench.folder(job).exit_facts()
    assert facts is not None
    assert facts["signal"] == 9  # the host lived to say so


async def test_a_second_more_urgent_stop_does_not_wait_for_the_first(
    bench: Bench, start: Start
) -> None:
    await start(timeouts=replace(QUICK, save_s=600.0, terminate_s=0.3))
    job = await bench.until_step(await bench.queue(steps=9, hang_at=3, stubborn=True), 2)
    await bench.stop(job.id, save=True)
    await asyncio.sleep(0.3)
    assert (await bench.get(job.id)).status == JobStatus.STOPPING
    await bench.stop(job.id, save=False)
    assert (await bench.until_ended(job.id)).status == JobStatus.STOPPED


async def test_a_host_killed_while_stopping_still_means_stopped(bench: Bench, start: Start) -> None:
    await start(timeouts=replace(QUICK, orphan_s=0.5))
    job = await bench.until_step(await bench.queue(steps=9, hang_at=3, stubborn=True), 2)
    await bench.stop(job.id, save=True)
    host, _ = bench.host_and_engine(job)
    host.kill()
    job = await bench.until_ended(job.id)
    assert job.status == JobStatus.STOPPED
    assert bench.processes(job) == []


async def test_stops_that_race_with_the_natural_end(bench: Bench, supervisor: Supervisor) -> None:
    """Whatever the moment, the state is what the engine's last event says."""
    for delay in range(0, 12, 2):
        job_id = await bench.queue(steps=3, step_s=0.01)
        await bench.until(job_id, lambda job: job.status != JobStatus.PENDING)
        await asyncio.sleep(delay * 0.03)
        answers = await asyncio.gather(bench.stop(job_id, save=True), bench.stop(job_id, save=True))
        job = await bench.until_ended(job_id)
        last = last_event(bench.folder(job).events_file)
        completed = isinstance(last, Finished)
        assert job.status == (JobStatus.COMPLETED if completed else JobStatus.STOPPED)
        ends = [move for move in await bench.history(job_id) if move.to_status in TERMINAL]
        assert len(ends) == 1
        late = await bench.stop(job_id, save=True)
        assert late.status == job.status
        assert {answer.status for answer in answers} <= {JobStatus.STOPPING, job.status}


async def test_sigterm_from_outside_is_a_stop_nobody_asked_for(
    bench: Bench, supervisor: Supervisor
) -> None:
    job = await bench.until_step(await bench.queue(**ENDLESS), 2)
    host, _ = bench.host_and_engine(job)
    host.terminate()
    job = await bench.until_ended(job.id)
    assert (job.status, job.resumable) == (JobStatus.STOPPED, True)
    assert (await bench.history(job.id))[-1].reason == "terminated"
