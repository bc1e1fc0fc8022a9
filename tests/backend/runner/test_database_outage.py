"""The database goes away in the middle of a run: the run does not notice, nothing is lost."""

import asyncio
import errno
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from backend import schema
from backend.database import make_engine, make_sessions
from backend.embedded_postgres import EmbeddedPostgres
from backend.jobs.event_file import read_events
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.processes.identity import with_nonce
from backend.runner.executors.local import nonce_of
from backend.settings import Settings
from tests.backend.runner.conftest import ENDLESS, QUICK, Bench, supervising
from tests.conftest import FAST


@pytest.fixture
async def server() -> AsyncIterator[EmbeddedPostgres]:
    """A database server of this test alone."""
    folder = Path(tempfile.mkdtemp(prefix="easytune-outage-"))
    folder.chmod(0o711)
    try:
        # Without the wait for its log, a crash takes what was committed in the last half second.
        with EmbeddedPostgres(folder, {**FAST, "synchronous_commit": "on"}) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture
async def own_bench(server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Bench]:
    """Jobs in that database."""
    engine = make_engine(server.url)
    await schema.upgrade(engine)
    url = SecretStr(server.url)
    made = Bench(
        Settings(_env_file=None, data_dir=tmp_path, database_url=url), make_sessions(engine)
    )
    yield made
    await engine.dispose()
    for folder in made.folders:
        for process in with_nonce(nonce_of(folder)):
            process.kill()


@pytest.mark.parametrize("ends_meanwhile", [False, True])
async def test_a_crash_of_the_database(
    own_bench: Bench, server: EmbeddedPostgres, ends_meanwhile: bool
) -> None:
    bench = own_bench
    # The lease expires while nobody can renew it: that neither ends nor doubles anything.
    expiring = replace(QUICK, lease_s=1.0, renew_s=0.3)
    async with supervising(bench, timeouts=expiring) as supervisor:
        run = {"steps": 120, "step_s": 0.02} if ends_meanwhile else ENDLESS
        job = await bench.until_step(await bench.queue(**run), 3)
        host, _ = bench.host_and_engine(job)
        server.process.send_signal(signal.SIGQUIT)  # as `pg_ctl stop -m immediate`
        server.process.wait()
        if ends_meanwhile:
            await asyncio.to_thread(host.wait, 120)
        else:
            await asyncio.sleep(1.5)
            assert host.is_running()
        await server.start_again()
        if not ends_meanwhile:
            await bench.until_step(job.id, job.step + 10)
            await bench.stop(job.id, save=False)
        job = await bench.until_ended(job.id)
        ends = ["COMPLETED"] if ends_meanwhile else ["STOPPING", "STOPPED"]
        moves = [str(move.to_status) for move in await bench.history(job.id)]
        assert moves == ["PENDING", "PREPARING", "RUNNING", *ends]
        assert job.attempt == 1
        assert bench.logged_steps(job) == list(range(1, job.step + 1))
        assert job.event_offset == read_events(bench.folder(job).events_file, 0)[1]
        # It still leads, and still hears: work that comes now is done.
        assert supervisor.leading
        assert (await bench.until_ended(await bench.queue(steps=1))).status == JobStatus.COMPLETED


async def test_a_crash_while_a_run_is_being_launched(
    own_bench: Bench, server: EmbeddedPostgres
) -> None:
    """Nothing was started: that is no failure of the run, it is just launched again."""
    crashes: list[asyncio.Task[None]] = []

    async def comes_back() -> None:
        await asyncio.sleep(1.0)
        await server.start_again()

    async def crash_once() -> None:
        if not crashes:
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait()
            crashes.append(asyncio.create_task(comes_back()))

    async with supervising(own_bench, before_training=crash_once):
        job_id = await own_bench.queue(steps=2)
        while not crashes:
            await asyncio.sleep(0.02)
        await crashes[0]
        job = await own_bench.until_ended(job_id)
    assert (job.status, job.attempt, job.error) == (JobStatus.COMPLETED, 2, None)
    moves = [(str(move.to_status), move.reason) for move in await own_bench.history(job_id)]
    assert moves[2] == ("PENDING", "not_launched")


async def test_why_it_could_not_be_launched_is_not_lost(
    own_bench: Bench, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk takes the database along: the reason is written when that is back."""
    crashes: list[asyncio.Task[None]] = []

    async def comes_back() -> None:
        await asyncio.sleep(1.0)
        await server.start_again()

    loop = asyncio.get_running_loop()

    def full(folder: RunFolder, spec: dict[str, Any]) -> None:
        server.process.send_signal(signal.SIGQUIT)
        server.process.wait()
        loop.call_soon_threadsafe(lambda: crashes.append(loop.create_task(comes_back())))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RunFolder, "create", full)
    async with supervising(own_bench):
        job_id = await own_bench.queue(steps=2)
        while not crashes:
            await asyncio.sleep(0.02)
        await crashes[0]
        job = await own_bench.until_ended(job_id)
    assert job.error is not None
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "disk_full")
