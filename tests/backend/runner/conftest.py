"""A supervisor over the real database, real run hosts and the fake engine."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import psutil
import pytest

from backend.database import SessionFactory, transaction
from backend.ids import new_id
from backend.jobs import service
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import TERMINAL, JobStatus, Slot
from backend.jobs.tables import JobRow, JobTransitionRow
from backend.processes.identity import with_nonce
from backend.runner.executors.local import nonce_of
from backend.runner.kinds import Kind
from backend.runner.supervisor import Supervisor
from backend.runner.timeouts import Timeouts
from backend.settings import Settings
from tests.backend.runner import outcome
from tests.backend.runner.apart import Apart

FAKE = Kind("tests.fakes.engine", "tests.backend.runner.outcome:apply", resumes=True)
KINDS = {"fake": FAKE, "missing": replace(FAKE, module="tests.fakes.no_such_engine")}
QUICK = Timeouts(tick_live_s=0.05, tick_idle_s=0.2, orphan_s=3.0, trouble_s=0.1, retry_s=0.2)
PATIENCE_S = 120.0
# Ends when it is stopped, however slow the machine is.
ENDLESS = {"steps": 1_000_000, "step_s": 0.02}


class Bench:
    """What the tests do with jobs."""

    def __init__(self, settings: Settings, sessions: SessionFactory) -> None:
        self.settings, self.sessions = settings, sessions
        self.folders: list[RunFolder] = []

    async def queue(self, kind: str = "fake", **fake: Any) -> UUID:
        """Queue a run of the fake engine; `slot`, `outcome` and `memory_bytes` go to the job."""
        slot, memory_bytes = fake.pop("slot", Slot.TRAINING), fake.pop("memory_bytes", None)
        spec = {"fake": fake or {"steps": 2}}
        if "outcome" in fake:
            spec["outcome"] = fake.pop("outcome")
        async with transaction(self.sessions) as session:
            job = await service.enqueue(
                session,
                kind=kind,
                spec=spec,
                slot=slot,
                owner_id=None,
                subject_id=new_id(),
                memory_bytes=memory_bytes,
            )
        return job.id

    async def get(self, job_id: UUID) -> JobRow:
        async with transaction(self.sessions) as session:
            return await service.get(session, job_id)

    async def history(self, job_id: UUID) -> list[JobTransitionRow]:
        async with transaction(self.sessions) as session:
            return await service.transitions(session, job_id)

    async def stop(self, job_id: UUID, *, save: bool) -> JobRow:
        async with transaction(self.sessions) as session:
            return await service.request_stop(session, job_id, save)

    async def requeue(self, job_id: UUID, *, resume: bool) -> JobRow:
        async with transaction(self.sessions) as session:
            return await service.requeue(session, job_id, resume=resume)

    async def until(self, job_id: UUID, condition: Callable[[JobRow], bool]) -> JobRow:
        """The job as soon as it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition(job := await self.get(job_id)):
            assert time.monotonic() < deadline, f"still {job.status} {job.phase} {job.error}"
            await asyncio.sleep(0.03)
        return job

    async def stop_and_wait(self, job_id: UUID) -> JobRow:
        await self.stop(job_id, save=False)
        return await self.until_ended(job_id)

    def logged_steps(self, job: JobRow) -> list[int]:
        """Steps in the log of the attempt, in order."""
        lines = self.folder(job).log_file.read_text().splitlines()
        return [int(line.split(" step ")[1].split("/")[0]) for line in lines if " step " in line]

    async def until_ended(self, job_id: UUID) -> JobRow:
        return await self.until(job_id, lambda job: job.status in TERMINAL)

    async def until_step(self, job_id: UUID, step: int) -> JobRow:
        return await self.until(
            job_id, lambda job: job.status == JobStatus.RUNNING and job.step >= step
        )

    def folder(self, job: JobRow) -> RunFolder:
        folder = RunFolder.of(self.settings.runs_dir, job.id, job.attempt)
        self.folders.append(folder)
        return folder

    def processes(self, job: JobRow) -> list[psutil.Process]:
        """What lives of an attempt."""
        return with_nonce(nonce_of(self.folder(job)))

    def host_and_engine(self, job: JobRow) -> tuple[psutil.Process, psutil.Process]:
        facts = self.folder(job).identity()
        assert facts is not None
        return psutil.Process(facts["pid"]), psutil.Process(facts["child_pid"])


@pytest.fixture
async def bench(settings: Settings, sessions: SessionFactory) -> AsyncIterator[Bench]:
    """Jobs and their processes; whatever is left of them is killed at the end."""
    outcome.told.clear()
    made = Bench(settings, sessions)
    yield made
    for folder in made.folders:
        for process in with_nonce(nonce_of(folder)):
            process.kill()


@asynccontextmanager
async def supervising(bench: Bench, **options: Any) -> AsyncIterator[Supervisor]:
    """A supervisor that runs until the end of the block."""
    given: dict[str, Any] = {"kinds": KINDS, "timeouts": QUICK, **options}
    supervisor = Supervisor(bench.settings, bench.sessions, **given)
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        supervisor.stop()
        await running


@pytest.fixture
async def supervisor(bench: Bench) -> AsyncIterator[Supervisor]:
    """A supervisor for the whole test."""
    async with supervising(bench) as running:
        yield running


@pytest.fixture
async def start(bench: Bench) -> AsyncIterator[Callable[..., Awaitable[Supervisor]]]:
    """Starts supervisors with options of the test's own."""
    async with AsyncExitStack() as stack:

        async def begin(**options: Any) -> Supervisor:
            return await stack.enter_async_context(supervising(bench, **options))

        yield begin


@pytest.fixture
def apart(bench: Bench) -> Iterator[Callable[..., Apart]]:
    """Starts supervisors in processes of their own; killed at the end."""
    made: list[Apart] = []

    def begin(**timeouts: float) -> Apart:
        made.append(Apart(bench.settings, QUICK, **timeouts))
        return made[-1]

    yield begin
    for supervisor in made:
        supervisor.kill()
