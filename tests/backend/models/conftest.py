"""A tiny real model, a hub that offers it, and jobs run by their real children."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from backend.database import SessionFactory, transaction
from backend.hubs import download
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.models import outcome
from backend.runner.kinds import KINDS, spec_of
from backend.settings import PROJECT_ROOT, Settings
from tests.fakes.hub import FakeHub
from tests.tiny_model import build_tiny_model

API = "/api/v1/models"
ENDED = {0: JobStatus.COMPLETED, 1: JobStatus.FAILED, 3: JobStatus.STOPPED}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model; do not change it."""
    return build_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny-llama")


@pytest.fixture
def hub(settings: Settings) -> Iterator[FakeHub]:
    """A hub that the application reaches."""
    with FakeHub() as server:
        settings.offline = False
        settings.hf_endpoint = server.url
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "CHUNK_BYTES", 8192)


async def claim(settings: Settings, sessions: SessionFactory, model_id: str) -> RunFolder:
    """Take the newest job of a model from the queue; its folder, ready to be run."""
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(model_id))
        assert job is not None
        await jobs.move(session, job.id, job.attempt, JobStatus.PREPARING, "claimed")
    folder = RunFolder.of(settings.runs_dir, job.id, job.attempt)
    folder.create(spec_of(job, None))
    return folder


async def end(sessions: SessionFactory, model_id: str, code: int) -> JobRow:
    """The terminal move with its outcome."""
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(model_id))
        assert job is not None
        error = {"code": "dependency", "message": "It broke.", "hint": "Again.", "params": {}}
        values = {"error": error} if code == 1 else {}
        job = await jobs.move(session, job.id, job.attempt, ENDED[code], "ended", **values)
        await outcome.apply(session, job)
    return job


async def run_job(settings: Settings, sessions: SessionFactory, model_id: str) -> RunFolder:
    """Run the model's job in a process of its own, as the run host does; then its outcome."""
    folder = await claim(settings, sessions, model_id)
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(model_id))
        assert job is not None
    command = [sys.executable, "-m", KINDS[job.kind].module, str(folder.path)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in ENDED, done.stderr
    await end(sessions, model_id, done.returncode)
    return folder
