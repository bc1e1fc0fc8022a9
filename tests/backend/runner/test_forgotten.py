"""What is deleted while its job runs takes the job, its processes and its folders with it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from backend.database import SessionFactory, transaction
from backend.jobs import lease as leases
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.processes.identity import with_nonce
from backend.runner.executors.local import nonce_of
from backend.runner.forgotten import remove_forgotten
from backend.runner.supervisor import Supervisor
from backend.settings import Settings
from tests.backend.runner.conftest import QUICK
from tests.fakes.hub import FakeHub
from tests.tiny_model import build_tiny_model

LINE = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}\n'
PATIENCE_S = 60.0


@pytest.fixture
async def supervised(settings: Settings, sessions: SessionFactory) -> AsyncIterator[None]:
    """The real kinds of jobs, each in its real processes."""
    supervisor = Supervisor(settings, sessions, timeouts=QUICK)
    running = asyncio.create_task(supervisor.run())
    yield
    supervisor.stop()
    await running


@pytest.fixture
def hub(settings: Settings) -> Iterator[FakeHub]:
    with FakeHub() as server:
        settings.offline = False
        settings.hf_endpoint = server.url
        yield server


async def job_at_work(sessions: SessionFactory, subject: str) -> JobRow:
    """The job of a data set or model, as soon as its child works."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        async with transaction(sessions) as session:
            job = await jobs.newest_of(session, UUID(subject))
        assert job is not None
        if job.status == JobStatus.RUNNING:
            return job
        assert job.status in {JobStatus.PENDING, JobStatus.PREPARING}, "it was too quick"
        await asyncio.sleep(0.01)
    raise AssertionError("it did not begin")


async def until_nothing_is_left(sessions: SessionFactory, settings: Settings, job: JobRow) -> None:
    """No row, no folder, no process."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        async with sessions() as session:
            rows = await session.scalar(select(func.count()).select_from(JobRow))
        if rows == 0:
            assert list(settings.runs_dir.iterdir()) == []
            folder = RunFolder.of(settings.runs_dir, job.id, job.attempt)
            assert with_nonce(nonce_of(folder)) == []
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the job is still there")


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_data_set_deleted_in_the_middle_of_its_import(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, supervised: None
) -> None:
    content = (LINE * 400_000).encode()
    posted = await client.post("/api/v1/datasets", files={"file": ("long.jsonl", content)})
    dataset = posted.json()["id"]
    job = await job_at_work(sessions, dataset)
    assert (await client.delete(f"/api/v1/datasets/{dataset}")).status_code == 204
    assert (await client.get("/api/v1/datasets")).json()["items"] == []
    await until_nothing_is_left(sessions, settings, job)
    assert files_below(settings.datasets_dir) == []
    assert not (settings.datasets_dir / dataset).exists()


async def test_a_model_deleted_in_the_middle_of_its_download(
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
    supervised: None,
    hub: FakeHub,
    tmp_path: Path,
) -> None:
    hub.add("tiny/llama", build_tiny_model(tmp_path / "tiny"), delay_s=2.0)
    body = {"source": "huggingface", "reference": "tiny/llama"}
    model = (await client.post("/api/v1/models", json=body)).json()["id"]
    job = await job_at_work(sessions, model)
    assert (await client.delete(f"/api/v1/models/{model}")).status_code == 204
    assert (await client.get("/api/v1/models")).json()["items"] == []
    await until_nothing_is_left(sessions, settings, job)
    assert files_below(settings.models_dir) == []


async def test_what_an_interruption_left_is_removed_by_the_next_leader(
    settings: Settings, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as session:
        lease = await leases.acquire(session, "tests")
        assert lease is not None
        subject = UUID(int=1)
        job = await jobs.enqueue(
            session, kind="x", spec={}, slot=Slot.LIGHT, owner_id=None, subject_id=subject
        )
        await jobs.move(session, job.id, 1, JobStatus.PREPARING, "test")
        assert await jobs.forget(session, subject) == []
        RunFolder.of(settings.runs_dir, job.id, 1).create({})
    assert await remove_forgotten(sessions, lease, settings.runs_dir) == 0
    assert len(list(settings.runs_dir.iterdir())) == 1
    async with transaction(sessions) as session:
        await jobs.move(session, job.id, 1, JobStatus.STOPPED, "test")
    assert await remove_forgotten(sessions, lease, settings.runs_dir) == 1
    assert list(settings.runs_dir.iterdir()) == []
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(JobRow)) == 0
