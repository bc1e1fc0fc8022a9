"""A hub that the application reaches, and fetches run by the real child."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from backend.database import SessionFactory, transaction
from backend.datasets.hubs import job as fetch_job
from backend.datasets.hubs import outcome
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner.kinds import spec_of
from backend.settings import Settings
from tests.backend.datasets.conftest import API
from tests.fakes.data_hub import DataHub

Fetch = Callable[..., Awaitable[dict[str, Any]]]
ENDED = {0: JobStatus.COMPLETED, 1: JobStatus.FAILED, 3: JobStatus.STOPPED}


def rows(count: int, word: str = "row") -> bytes:
    """JSON lines that are recognised."""
    lines = [{"prompt": f"{word} {n}?", "completion": f"{word} {n}!"} for n in range(count)]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


CARD = b"""---
license: mit
configs:
- config_name: short
  data_files:
  - split: train
    path: short/*.jsonl
- config_name: long
  default: true
  data_files:
  - split: train
    path: long/a.jsonl
  - split: test
    path: [long/b.jsonl]
---
# Talks
"""
TWO = {
    "README.md": CARD,
    "short/x.jsonl": rows(3, "short"),
    "long/a.jsonl": rows(4, "long"),
    "long/b.jsonl": rows(5, "held"),
}


@pytest.fixture
def hub(settings: Settings) -> Iterator[DataHub]:
    with DataHub() as server:
        settings.offline = False
        settings.hf_endpoint = settings.ms_endpoint = server.url
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    # By way of the module that sets it: its import must not come later.
    monkeypatch.setattr("backend.hubs.download.constants.DOWNLOAD_CHUNK_SIZE", 8192)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _s: None)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _s: None)


async def run_fetch(settings: Settings, sessions: SessionFactory, dataset_id: str) -> JobRow:
    """What the supervisor does with the queued fetch, without a process of its own."""
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(dataset_id))
        assert job is not None
        assert job.kind == "fetch_dataset"
        await jobs.move(session, job.id, job.attempt, JobStatus.PREPARING, "claimed")
    folder = RunFolder.of(settings.runs_dir, job.id, job.attempt)
    folder.create(spec_of(job, None))
    code = await asyncio.to_thread(fetch_job.main, [str(folder.path)])
    last = json.loads(folder.events_file.read_text().splitlines()[-1])
    names = ("code", "message", "hint")
    error = {**{name: last[name] for name in names}, "params": {}} if code == 1 else None
    async with transaction(sessions) as session:
        job = await jobs.move(
            session,
            job.id,
            job.attempt,
            ENDED[code],
            "ended",
            **({"error": error} if error else {}),
        )
        await outcome.apply(session, job)
    return job


@pytest.fixture
def fetch(
    client: httpx.AsyncClient, app: FastAPI, settings: Settings, sessions: SessionFactory
) -> Fetch:
    """`await fetch("owner/name", split="train")`: the data set after its fetch."""

    async def do(reference: str, source: str = "huggingface", **body: Any) -> dict[str, Any]:
        answer = await client.post(API, json={"source": source, "reference": reference, **body})
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "importing"
        await run_fetch(settings, sessions, answer.json()["id"])
        found: dict[str, Any] = (await client.get(f"{API}/{answer.json()['id']}")).json()
        return found

    return do
