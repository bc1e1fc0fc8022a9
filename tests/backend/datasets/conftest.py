"""Uploads through the API, and imports run by the real child in this process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from backend.database import SessionFactory, transaction
from backend.datasets import queries
from backend.datasets.importing import job as import_job
from backend.datasets.importing import outcome
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner.kinds import spec_of
from backend.settings import Settings

Import = Callable[..., Awaitable[dict[str, Any]]]
API = "/api/v1/datasets"


async def run_import(settings: Settings, sessions: SessionFactory, dataset_id: str) -> JobRow:
    """What the supervisor does with the queued import, without a process of its own."""
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(dataset_id), queries.IMPORT)
        assert job is not None
        await jobs.move(session, job.id, job.attempt, JobStatus.PREPARING, "claimed")
    folder = RunFolder.of(settings.runs_dir, job.id, job.attempt)
    folder.create(spec_of(job, None))
    code = await asyncio.to_thread(import_job.main, [str(folder.path)])
    ended = JobStatus.COMPLETED if code == 0 else JobStatus.FAILED
    async with transaction(sessions) as session:
        job = await jobs.move(session, job.id, job.attempt, ended, "finished")
        await outcome.apply(session, job)
    return job


@pytest.fixture
def upload(
    client: httpx.AsyncClient, app: FastAPI, settings: Settings, sessions: SessionFactory
) -> Import:
    """`await upload("a.jsonl", content, mapping=…)`: the data set after its import."""

    async def do(filename: str, content: bytes | str, **form: Any) -> dict[str, Any]:
        raw = content.encode() if isinstance(content, str) else content
        answer = await client.post(API, files={"file": (filename, raw)}, data=form)
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "importing"
        await run_import(settings, sessions, answer.json()["id"])
        found = await client.get(f"{API}/{answer.json()['id']}")
        result: dict[str, Any] = found.json()
        return result

    return do
