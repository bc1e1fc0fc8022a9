"""A run outlives everything around it, and whoever comes next tells the same story."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from backend.database import transaction
from backend.jobs.event_file import read_events
from backend.jobs.run_folder import remove_all
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.processes.identity import identify, is_alive
from backend.runner.finish import MAX_RELAUNCHES
from backend.runner.supervisor import Supervisor
from backend.settings import PROJECT_ROOT
from tests.backend.runner.apart import Apart
from tests.backend.runner.conftest import ENDLESS, QUICK, Bench, supervising

Start = Callable[..., Awaitable[Supervisor]]


async def claims(bench: Bench, job: JobRow) -> int:
    return sum(move.reason == "claimed" for move in await bench.history(job.id))


async def test_a_graceful_change_of_supervisors_is_not_noticed_by_the_run(bench: Bench) -> None:
    async with supervising(bench):
        job = await bench.until_step(await bench.queue(**ENDLESS), 3)
        host, engine = bench.host_and_engine(job)
    assert (await bench.get(job.id)).status == JobStatus.RUNNING
    assert host.is_running()
    assert engine.is_running()
    async with supervising(bench):
        await bench.until_step(job.id, (await bench.get(job.id)).step + 3)
        assert bench.host_and_engine(job) == (host, engine)
        job = await bench.stop_and_wait(job.id)
    assert (job.status, job.attempt) == (JobStatus.STOPPED, 1)
    assert await claims(bench, job) == 1
    assert bench.logged_steps(job) == list(range(1, job.step + 1))
    assert job.event_offset == read_events(bench.folder(job).events_file, 0)[1]


async def test_kill_9_of_the_supervisor(bench: Bench, apart: Callable[..., Apart]) -> None:
    """The next one leads at once, though the lease of the dead one has a minute to go."""
    first = apart()
    first.leads()
    job = await bench.until_step(await bench.queue(**ENDLESS), 3)
    host, engine = bench.host_and_engine(job)
    first.kill()
    async with supervising(bench):
        at = (await bench.get(job.id)).step
        await bench.until_step(job.id, at + 3)
        assert bench.host_and_engine(job) == (host, engine)
        job = await bench.stop_and_wait(job.id)
    assert (job.status, job.attempt) == (JobStatus.STOPPED, 1)
    assert bench.logged_steps(job) == list(range(1, job.step + 1))
    assert await claims(bench, job) == 1


async def test_what_ended_while_nobody_looked(bench: Bench) -> None:
    async with supervising(bench):
        done = await bench.until_step(await bench.queue(steps=120, step_s=0.02), 2)
    host, _ = bench.host_and_engine(done)
    await asyncio.to_thread(host.wait, 120)
    async with supervising(bench):
        job = await bench.until_ended(done.id)
    assert (job.status, job.step, job.progress) == (JobStatus.COMPLETED, 120, 1.0)
    assert job.metrics["eval_loss"] == 0.5


async def test_killed_while_nobody_looked(bench: Bench) -> None:
    async with supervising(bench):
        job = await bench.until_step(await bench.queue(**ENDLESS), 5)
    host, engine = bench.host_and_engine(job)
    engine.kill()
    await asyncio.to_thread(host.wait, 120)
    async with supervising(bench):
        job = await bench.until_ended(job.id)
    assert job.error is not None
    assert (job.error["code"], job.resumable) == ("engine_crashed", True)


@pytest.mark.long
@pytest.mark.parametrize(("reboot", "code"), [(False, "supervisor_lost"), (True, "host_rebooted")])
async def test_everything_gone_at_once(bench: Bench, reboot: bool, code: str) -> None:
    async with supervising(bench):
        job = await bench.until_step(await bench.queue(**ENDLESS), 5)
    for process in bench.host_and_engine(job):
        process.kill()
    identity = bench.folder(job).path / "identity.json"
    if reboot:
        facts = json.loads(identity.read_text())
        identity.write_text(json.dumps({**facts, "boot_id": "an earlier boot"}))
    async with supervising(bench):
        job = await bench.until_ended(job.id)
        assert job.error is not None
        assert (job.status, job.error["code"]) == (JobStatus.FAILED, code)
        assert job.resumable
        assert bench.processes(job) == []
        await bench.requeue(job.id, resume=True)
        again = await bench.until_step(job.id, 1)
        assert again.attempt == 2
        await bench.stop(job.id, save=False)
        await bench.until_ended(job.id)


async def test_kill_9_of_the_run_host_only(bench: Bench, start: Start) -> None:
    await start()
    job = await bench.until_step(await bench.queue(**ENDLESS), 3)
    host, _ = bench.host_and_engine(job)
    host.kill()
    job = await bench.until_ended(job.id)
    assert job.error is not None
    assert (job.error["code"], job.resumable) == ("supervisor_lost", True)
    assert bench.processes(job) == []


async def force(bench: Bench, job: JobRow, **values: object) -> None:
    async with transaction(bench.sessions) as session:
        await session.execute(update(JobRow).where(JobRow.id == job.id).values(**values))


async def test_claimed_and_never_launched_is_launched_under_a_new_number(
    bench: Bench, start: Start
) -> None:
    job = await bench.get(await bench.queue(steps=2))
    await force(bench, job, status=JobStatus.PREPARING)
    bench.folder(job).create({"kind": "fake"})
    await start()
    ended = await bench.until_ended(job.id)
    assert (ended.status, ended.attempt) == (JobStatus.COMPLETED, 2)
    # No engine can start in the folder that was given up.
    late = subprocess.run(
        [sys.executable, "-m", "training_engine", str(bench.folder(job).path), "--child", "x"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        check=False,
    )
    assert late.returncode != 0
    assert b"has ended" in late.stderr


async def test_launching_again_and_again_has_an_end(bench: Bench, start: Start) -> None:
    job = await bench.get(await bench.queue())
    for _ in range(MAX_RELAUNCHES + 1):
        job = await bench.get(job.id)
        await force(bench, job, status=JobStatus.PREPARING)
        async with supervising(bench, kinds={}):  # leads, but starts nothing
            pass
        attempt = job.attempt

        def moved(job: JobRow, attempt: int = attempt) -> bool:
            return job.attempt > attempt or job.status == JobStatus.FAILED

        job = await adopt_only(bench, job, moved)
    assert job.error is not None
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "launch_timeout")


async def adopt_only(bench: Bench, job: JobRow, moved: Callable[[JobRow], bool]) -> JobRow:
    """One supervisor that may adopt, with no slot to claim for."""
    async with supervising(bench) as supervisor:
        supervisor._slots = {}
        return await bench.until(job.id, moved)


async def test_claimed_stopped_and_never_launched_is_stopped(bench: Bench, start: Start) -> None:
    job = await bench.get(await bench.queue())
    await force(bench, job, status=JobStatus.PREPARING)
    await bench.stop(job.id, save=True)
    await start()
    ended = await bench.until_ended(job.id)
    assert (ended.status, ended.attempt) == (JobStatus.STOPPED, 1)


async def test_a_run_whose_folder_vanished(bench: Bench, start: Start) -> None:
    await start()
    job = await bench.until_step(await bench.queue(**ENDLESS), 3)
    for process in bench.host_and_engine(job):
        process.suspend()  # so that nothing writes into what is being removed
    remove_all(bench.settings.runs_dir, job.id)
    job = await bench.until_ended(job.id)
    assert job.error is not None
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "supervisor_lost")
    assert "folder" in job.error["message"]
    assert (job.resumable, bench.processes(job)) == (False, [])


@pytest.mark.long
@pytest.mark.parametrize("pid", ["decoy", 0, 1, -1, True])
async def test_a_recorded_pid_that_is_not_the_hosts_is_never_signalled(
    bench: Bench, pid: object
) -> None:
    async with supervising(bench):
        job = await bench.until_step(await bench.queue(**ENDLESS), 2)
    for process in bench.host_and_engine(job):
        process.kill()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"]) as decoy:
        found = identify(decoy.pid)
        assert found is not None
        identity = bench.folder(job).path / "identity.json"
        facts = json.loads(identity.read_text())
        recorded = decoy.pid if pid == "decoy" else pid
        identity.write_text(json.dumps({**facts, "pid": recorded, "child_pid": recorded}))
        async with supervising(bench, timeouts=replace(QUICK, orphan_s=0.2)):
            job = await bench.until_ended(job.id)
        assert job.error is not None
        assert job.error["code"] == "supervisor_lost"
        assert is_alive(found)
        decoy.kill()


@pytest.mark.long
async def test_an_engine_of_an_attempt_that_is_over_is_ended(bench: Bench, start: Start) -> None:
    async with supervising(bench):
        job = await bench.until_step(await bench.queue(**ENDLESS), 2)
    stale = bench.processes(job)
    assert len(stale) == 2
    await force(bench, job, status=JobStatus.PENDING, attempt=2, event_offset=0)
    await start()
    again = await bench.until_step(job.id, 1)
    assert again.attempt == 2
    assert bench.processes(job) == []
    await bench.stop(job.id, save=False)
    await bench.until_ended(job.id)


async def test_an_engine_that_the_database_never_heard_of_is_left_alone(
    bench: Bench, start: Start
) -> None:
    async with supervising(bench):
        job = await bench.until_step(await bench.queue(**ENDLESS), 2)
    async with transaction(bench.sessions) as session:
        await session.delete(await session.get_one(JobRow, job.id))
    supervisor = await start()
    done = await bench.until_ended(await bench.queue(steps=1))
    assert done.status == JobStatus.COMPLETED
    assert supervisor.leading
    assert len(bench.processes(job)) == 2
