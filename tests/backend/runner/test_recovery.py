"""An older database is put back over today's run folders: the folders are believed, none is lost.

What the database knew is kept as a copy of its rows and put back with everything that followed
forgotten, as a restored backup would have it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, inspect, update

from backend.database import DatabaseUnavailable, transaction
from backend.ids import new_id
from backend.jobs import run_folder
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow, JobTransitionRow
from backend.runner import recovery
from backend.runner.recovery import RECOVERED
from backend.runner.supervisor import Supervisor
from tests.backend.runner import outcome
from tests.backend.runner.conftest import ENDLESS, FAKE, KINDS, Bench, supervising

Start = Callable[..., Awaitable[Supervisor]]
IMPORT = replace(FAKE, resumes=False)


def copy_of(job: JobRow) -> dict[str, Any]:
    """All columns of a row, as a backup holds them."""
    return {column.key: getattr(job, column.key) for column in inspect(JobRow).column_attrs}


async def put_back(bench: Bench, copy: dict[str, Any]) -> None:
    """The database is what it was when the copy was made."""
    async with transaction(bench.sessions) as session:
        await session.execute(update(JobRow).where(JobRow.id == copy["id"]).values(**copy))
        late = JobTransitionRow.at > copy["updated_at"]
        await session.execute(
            delete(JobTransitionRow).where(JobTransitionRow.job_id == copy["id"], late)
        )
    outcome.told.clear()


async def recoveries(bench: Bench, job_id: UUID) -> int:
    return sum(move.reason == RECOVERED for move in await bench.history(job_id))


async def test_a_run_that_ended_since(bench: Bench) -> None:
    queued = copy_of(await bench.get(await bench.queue(steps=4)))
    async with supervising(bench):
        ended = await bench.until_ended(queued["id"])
    await put_back(bench, queued)
    async with supervising(bench) as supervisor:
        job = await bench.until_ended(ended.id)
        assert supervisor.unknown_runs == []
    assert (job.status, job.attempt, job.recovered) == (JobStatus.COMPLETED, 1, True)
    assert (job.step, job.metrics, job.event_offset) == (4, ended.metrics, ended.event_offset)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.started_at <= job.finished_at <= datetime.now(UTC)
    facts = bench.folder(job).exit_facts()
    assert facts is not None
    assert job.finished_at == datetime.fromisoformat(facts["ended_at"])
    assert outcome.told == [(str(job.id), 1, "COMPLETED")]
    async with supervising(bench):  # once is enough
        await bench.until_ended(await bench.queue(steps=1))
    assert await recoveries(bench, job.id) == 1


async def test_later_attempts_that_the_database_has_not_seen(bench: Bench) -> None:
    async with supervising(bench):
        first = await bench.until_ended(await bench.queue(steps=5, kill_at=3))
        failed = copy_of(first)
        await bench.requeue(first.id, resume=True)
        await bench.until_ended(first.id)
        await bench.requeue(first.id, resume=True)
        third = await bench.until_ended(first.id)
    assert third.attempt == 3
    await put_back(bench, failed)
    async with supervising(bench):
        job = await bench.until(first.id, lambda job: job.attempt == 3 and job.error is not None)
    assert (job.status, job.recovered, job.resume) == (JobStatus.FAILED, True, True)
    assert job.error is not None
    assert job.error["params"] == {"signal": "SIGKILL"}
    assert job.checkpoint is not None
    assert job.resumable
    # It goes on from there under a number that was never used.
    async with supervising(bench):
        await bench.requeue(first.id, resume=True)
        job = await bench.until(first.id, lambda job: job.attempt == 4 and job.error is not None)
    assert job.recovered is False


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.COMPLETED, JobStatus.RUNNING])
async def test_an_engine_that_still_computes_is_watched_and_not_killed(
    bench: Bench, status: JobStatus
) -> None:
    async with supervising(bench):
        job_id = await bench.queue(**ENDLESS)
        before = await bench.get(job_id)
        await bench.until_step(job_id, 1)
        await bench.stop_and_wait(job_id)
        await bench.requeue(job_id, resume=False)
        job = await bench.until_step(job_id, 3)
    host, engine = bench.host_and_engine(job)
    await put_back(bench, {**copy_of(before), "status": status})
    async with supervising(bench):
        job = await bench.until(job_id, lambda job: job.step > 5)
        assert (job.status, job.attempt, job.recovered) == (JobStatus.RUNNING, 2, True)
        assert bench.host_and_engine(job) == (host, engine)
        # Its slot is taken though nobody knows which one it is.
        second = await bench.queue(steps=1)
        await asyncio.sleep(1.0)
        assert (await bench.get(second)).status == JobStatus.PENDING
        job = await bench.stop_and_wait(job_id)
        assert (await bench.until_ended(second)).status == JobStatus.COMPLETED
    assert (job.status, job.attempt) == (JobStatus.STOPPED, 2)
    assert bench.logged_steps(job) == list(range(1, job.step + 1))


async def test_a_launch_that_never_was_gets_a_new_number(bench: Bench, start: Start) -> None:
    job = await bench.get(await bench.queue(steps=2))
    RunFolder.of(bench.settings.runs_dir, job.id, 1).create({"kind": "fake"})
    await start()
    ended = await bench.until_ended(job.id)
    assert (ended.status, ended.attempt) == (JobStatus.COMPLETED, 2)


async def test_work_of_other_kinds_is_done_again(bench: Bench) -> None:
    """What an import wrote may have been moved to its place: once more is the safe way."""
    kinds = {**KINDS, "import": IMPORT}
    job_id = await bench.queue("import", steps=1)
    queued = copy_of(await bench.get(job_id))
    async with supervising(bench, kinds=kinds):
        await bench.until_ended(job_id)
    await put_back(bench, queued)
    async with supervising(bench, kinds=kinds):
        job = await bench.until_ended(job_id)
    assert (job.status, job.attempt, job.recovered) == (JobStatus.COMPLETED, 2, True)
    assert outcome.told == [(str(job_id), 2, "COMPLETED")]


async def test_runs_that_no_row_knows_are_counted_and_kept(bench: Bench) -> None:
    async with supervising(bench):
        ended = await bench.until_ended(await bench.queue(steps=1))
    unknown = [RunFolder.of(bench.settings.runs_dir, new_id(), 1) for _ in range(2)]
    for folder in unknown:
        folder.create({"kind": "fake"})
    for name in ("lost+found", "123", str(new_id()).upper()):
        (bench.settings.runs_dir / name).mkdir()
    (bench.settings.runs_dir / str(new_id())).write_text("a file")
    before = sorted(bench.settings.runs_dir.rglob("*"))
    async with supervising(bench) as supervisor:
        await bench.until(ended.id, lambda job: supervisor.leading)
        await bench.until_ended(await bench.queue(steps=1))
        assert supervisor.unknown_runs == sorted(folder.job_id for folder in unknown)
    assert set(before) <= set(bench.settings.runs_dir.rglob("*"))
    job = await bench.get(ended.id)
    assert (job.status, job.recovered) == (JobStatus.COMPLETED, False)


async def test_nothing_is_recovered_where_the_database_knows_all(bench: Bench) -> None:
    """Restarts, retries and stops leave folders that are older than their rows."""
    async with supervising(bench):
        job = await bench.until_ended(await bench.queue(steps=5, kill_at=2))
    await bench.requeue(job.id, resume=False)
    assert run_folder.newest_attempts(bench.settings.runs_dir)[job.id].attempt == 1
    async with supervising(bench):
        job = await bench.until_ended(job.id)
    assert (job.attempt, job.recovered) == (2, False)
    assert await recoveries(bench, job.id) == 0


async def test_the_database_goes_away_in_the_middle_of_a_take_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The take-over is begun again; without it a run would be adopted as what it no longer is."""
    queued = copy_of(await bench.get(await bench.queue(steps=2)))
    async with supervising(bench):
        await bench.until_ended(queued["id"])
    await put_back(bench, queued)
    real, calls = recovery.Reconciler.reconcile, []

    async def fails_once(self: recovery.Reconciler) -> list[UUID]:
        calls.append(1)
        if len(calls) == 1:
            raise DatabaseUnavailable
        return await real(self)

    monkeypatch.setattr(recovery.Reconciler, "reconcile", fails_once)
    async with supervising(bench):
        job = await bench.until_ended(queued["id"])
    assert (len(calls), job.attempt, job.recovered) == (2, 1, True)
