"""Preparations run by the real child in this process."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from backend.database import SessionFactory, transaction
from backend.datasets.preparing import job as prepare_job
from backend.datasets.preparing import outcome
from backend.jobs import service as jobs
from backend.jobs.event_file import last_event
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner.endings import Evidence, judge
from backend.runner.kinds import spec_of
from backend.settings import Settings

API = "/api/v1/datasets"
Prepare = Callable[..., Awaitable[dict[str, Any]]]


async def claim(settings: Settings, sessions: SessionFactory, dataset_id: str) -> JobRow:
    """The queued preparation, about to run; its run folder is there."""
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(dataset_id), "prepare_dataset")
        assert job is not None
        await jobs.move(session, job.id, job.attempt, JobStatus.PREPARING, "claimed")
    folder_of(settings, job).create(spec_of(job, None))
    return job


def folder_of(settings: Settings, job: JobRow) -> RunFolder:
    """The run folder of a job."""
    return RunFolder.of(settings.runs_dir, job.id, job.attempt)


async def end(settings: Settings, sessions: SessionFactory, job: JobRow) -> JobRow:
    """What the supervisor does when a run is over."""
    ending = judge(Evidence(last=last_event(folder_of(settings, job).events_file)))
    async with transaction(sessions) as session:
        found = await jobs.get(session, job.id)
        values = {"error": ending.error}
        job = await jobs.move(session, job.id, job.attempt, ending.status, "ended", **values)
        assert found.kind == "prepare_dataset"
        await outcome.apply(session, job)
    return job


async def run_preparation(settings: Settings, sessions: SessionFactory, dataset_id: str) -> JobRow:
    """What the supervisor does with the queued preparation, without a process of its own."""
    job = await claim(settings, sessions, dataset_id)
    await asyncio.to_thread(prepare_job.main, [str(folder_of(settings, job).path)])
    return await end(settings, sessions, job)


@pytest.fixture
def prepare(
    client: httpx.AsyncClient, app: FastAPI, settings: Settings, sessions: SessionFactory
) -> Prepare:
    """`await prepare(dataset_id, steps, name=…)`: the data set that got the version, after it."""

    async def do(dataset_id: str, steps: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        body = {"steps": steps, **more}
        answer = await client.post(f"{API}/{dataset_id}/prepare", json=body)
        assert answer.status_code == 202, answer.text
        await run_preparation(settings, sessions, answer.json()["id"])
        found = await client.get(f"{API}/{answer.json()['id']}")
        result: dict[str, Any] = found.json()
        return result

    return do


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where versions of a test lie."""
    return tmp_path
