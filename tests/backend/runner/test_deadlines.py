"""Alive is not enough: what does not start, does not get on or does not leave is ended."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

import psutil
import pytest
from sqlalchemy import update

from backend.database import transaction
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.runner.executors.local import nonce_of
from backend.runner.supervisor import Supervisor
from backend.settings import PROJECT_ROOT
from tests.backend.runner.conftest import ENDLESS, FAKE, KINDS, QUICK, Bench
from training_engine.contract.names import NONCE_VARIABLE

Start = Callable[..., Awaitable[Supervisor]]


async def test_a_host_that_says_nothing_is_ended(
    bench: Bench, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "backend.runner.executors.local.HOST_MODULE", "tests.backend.runner.silent_host"
    )
    await start(timeouts=replace(QUICK, launch_s=0.5))
    job = await bench.until_ended(await bench.queue())
    assert job.error is not None
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "launch_timeout")
    assert bench.processes(job) == []


async def test_a_host_found_by_its_lock_that_never_says_who_it_is(
    bench: Bench, start: Start
) -> None:
    """The supervisor was killed after the fork: the next one finds the lock held, and no name."""
    job = await bench.get(await bench.queue())
    folder = bench.folder(job)
    folder.create({"kind": "fake"})
    claimed = {"status": JobStatus.PREPARING, "phase": "launching"}
    async with transaction(bench.sessions) as session:
        await session.execute(update(JobRow).where(JobRow.id == job.id).values(**claimed))
    module = "tests.backend.runner.mute_host"
    mute = subprocess.Popen(
        [sys.executable, "-m", module, str(folder.path)],
        cwd=PROJECT_ROOT,
        env={**os.environ, NONCE_VARIABLE: nonce_of(folder)},
    )
    while not folder.is_locked():
        await asyncio.sleep(0.02)
    await start(timeouts=replace(QUICK, launch_s=0.7))
    job = await bench.until_ended(job.id)
    assert job.error is not None
    assert (job.status, job.attempt, job.error["code"]) == ("FAILED", 1, "launch_timeout")
    assert mute.wait(10) != 0


async def test_silence_is_a_warning_that_clears(bench: Bench, start: Start) -> None:
    patient = replace(QUICK, stall_step_s=0.6, stall_factor=0.0, hard_factor=1000.0)
    await start(timeouts=patient)
    job = await bench.until_step(await bench.queue(**ENDLESS), 2)
    _, engine = bench.host_and_engine(job)
    engine.suspend()
    job = await bench.until(job.id, lambda job: job.stalled_since is not None)
    assert job.status == JobStatus.RUNNING
    assert engine.status() == psutil.STATUS_STOPPED
    engine.resume()
    job = await bench.until(job.id, lambda job: job.stalled_since is None)
    assert (job.status, job.attempt) == (JobStatus.RUNNING, 1)
    job = await bench.stop_and_wait(job.id)
    assert job.status == JobStatus.STOPPED


async def test_silence_for_too_long_is_the_end(bench: Bench, start: Start) -> None:
    await start(timeouts=replace(QUICK, stall_step_s=0.5, stall_factor=0.0, hard_factor=2.0))
    job = await bench.until_ended(await bench.queue(steps=9, hang_at=4, stubborn=True))
    assert job.error is not None
    assert (job.error["code"], job.resumable) == ("engine_hung", True)
    assert bench.processes(job) == []


async def test_a_slow_run_is_not_taken_for_a_hung_one(bench: Bench, start: Start) -> None:
    """Pauses that the run has shown before do not count as silence."""
    await start(timeouts=replace(QUICK, stall_step_s=0.05, stall_factor=20.0, hard_factor=1.5))
    job = await bench.until_ended(await bench.queue(steps=4, step_s=0.7))
    assert (job.status, job.stalled_since) == (JobStatus.COMPLETED, None)


async def test_an_engine_that_has_finished_must_leave(bench: Bench, start: Start) -> None:
    kinds = {**KINDS, "lingering": replace(FAKE, module="tests.backend.runner.lingering_engine")}
    await start(kinds=kinds, timeouts=replace(QUICK, leave_s=0.3, terminate_s=0.3))
    job = await bench.until_ended(await bench.queue("lingering"))
    assert (job.status, job.error) == (JobStatus.COMPLETED, None)
    assert bench.processes(job) == []


async def test_room_is_made_before_a_training_and_only_then(bench: Bench, start: Start) -> None:
    made: list[str] = []

    async def make_room() -> None:
        made.append("room")
        raise LookupError("the playground did not answer")  # no reason to keep a run waiting

    await start(before_training=make_room)
    light = await bench.until_ended(await bench.queue(steps=1, slot=Slot.LIGHT))
    assert (light.status, made) == (JobStatus.COMPLETED, [])
    training = await bench.until_ended(await bench.queue(steps=1))
    assert (training.status, made) == (JobStatus.COMPLETED, ["room"])


async def test_a_dead_engine_under_a_paused_host_is_not_alive(bench: Bench, start: Start) -> None:
    await start(timeouts=replace(QUICK, reap_s=0.3))
    job = await bench.until_step(await bench.queue(**ENDLESS), 3)
    host, engine = bench.host_and_engine(job)
    host.suspend()
    engine.kill()
    job = await bench.until_ended(job.id)
    assert job.error is not None
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "supervisor_lost")
    assert bench.processes(job) == []
    assert not host.is_running()
