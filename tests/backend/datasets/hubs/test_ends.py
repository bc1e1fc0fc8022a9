"""How a fetch ends: by the supervisor, stopped, deleted meanwhile, told twice, without room."""

import asyncio
import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from backend.database import SessionFactory, transaction
from backend.datasets import files
from backend.datasets.hubs import job as fetch_job
from backend.datasets.hubs import outcome
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner.kinds import spec_of
from backend.runner.supervisor import Supervisor
from backend.settings import Settings
from tests.backend.datasets.conftest import API
from tests.backend.datasets.hubs.conftest import TWO, Fetch, rows, run_fetch
from tests.fakes.data_hub import DataHub

PATIENCE_S = 60.0
NAME = "some/talks"


async def test_second_try_goes_on_with_what_the_first_left(
    fetch: Fetch,
    hub: DataHub,
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
) -> None:
    repository = hub.add_data(NAME, {"train.jsonl": rows(2000)}, cut_after=[40_000] + [0] * 20)
    dataset = await fetch(NAME)
    assert dataset["error"]["code"] == "hub_unreachable"
    repository.cut_after = []
    before = len(hub.requests)
    await client.patch(f"{API}/{dataset['id']}", json={"revision": None})
    await run_fetch(settings, sessions, dataset["id"])
    done = (await client.get(f"{API}/{dataset['id']}")).json()
    assert (done["status"], done["num_rows"]) == ("ready", 2000)
    ranges = [asked for path, asked in hub.requests[before:] if path.startswith("/large/")]
    assert [int(asked.removeprefix("bytes=").rstrip("-")) > 8000 for asked in ranges if asked] == [
        True
    ]


async def test_larger_than_allowed_and_full_disk(
    fetch: Fetch, hub: DataHub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_data(NAME, {"train.jsonl": rows(30_000)})
    settings.max_upload_mb = 1
    large = await fetch(NAME)
    assert (large["error"]["code"], large["error"]["params"]["allowed"]) == ("hub_too_large", 1)
    assert not hub.asked(".jsonl")
    monkeypatch.setattr("backend.datasets.hubs.queue.RESERVE_BYTES", 1 << 60)
    settings.max_upload_mb = 1000
    full = (await fetch(NAME))["error"]
    assert (full["code"], full["params"]["work"]) == ("data_work_disk_full", "fetch")


async def test_stop_ends_it_and_the_next_try_goes_on(
    fetch: Fetch, hub: DataHub, monkeypatch: pytest.MonkeyPatch, sessions: SessionFactory
) -> None:
    from backend.datasets.hubs import job

    hub.add_data(NAME, {"train.jsonl": rows(2000)})
    call = job.Ticker.__call__

    def stop_halfway(self: Any, done: int, detail: str | None = None) -> None:
        if done > 50_000:
            (self._control / "stop").touch()
        call(self, done, detail)

    monkeypatch.setattr(job.Ticker, "__call__", stop_halfway)
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["error"]["code"]) == ("failed", "fetch_stopped")
    async with transaction(sessions) as session:
        ended = (await session.scalars(select(JobRow))).one()
    assert ended.status == "STOPPED"


async def test_fetch_by_the_supervisor(
    client: httpx.AsyncClient, hub: DataHub, settings: Settings, sessions: SessionFactory
) -> None:
    """The real run host and child, in the environment that jobs get."""
    hub.add_data(NAME, {"train.jsonl": rows(30)})
    supervisor = Supervisor(settings, sessions)
    running = asyncio.create_task(supervisor.run())
    try:
        body = {"source": "huggingface", "reference": NAME}
        url = f"{API}/{(await client.post(API, json=body)).json()['id']}"
        deadline = time.monotonic() + PATIENCE_S
        while (found := (await client.get(url)).json())["status"] == "importing":
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.05)
    finally:
        supervisor.stop()
        await running
    assert (found["status"], found["num_rows"]) == ("ready", 30)


async def test_deleted_while_it_is_fetched_leaves_nothing(
    client: httpx.AsyncClient, hub: DataHub, settings: Settings, sessions: SessionFactory
) -> None:
    hub.add_data(NAME, {"train.jsonl": rows(3)})
    body = {"source": "huggingface", "reference": NAME}
    dataset = (await client.post(API, json=body)).json()
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(dataset["id"]))
        assert job is not None
        job = await jobs.move(session, job.id, job.attempt, JobStatus.PREPARING, "claimed")
    folder = RunFolder.of(settings.runs_dir, job.id, job.attempt)
    folder.create(spec_of(job, None))
    assert (await client.delete(f"{API}/{dataset['id']}")).status_code == 204
    await asyncio.to_thread(fetch_job.main, [str(folder.path)])
    async with transaction(sessions) as session:
        job = await jobs.move(session, job.id, job.attempt, JobStatus.COMPLETED, "ended")
        await outcome.apply(session, job)
    assert not files.dataset_dir(settings, UUID(dataset["id"])).exists()


async def test_outcome_twice_is_the_same(
    client: httpx.AsyncClient, hub: DataHub, settings: Settings, sessions: SessionFactory
) -> None:
    """The commit that ends the job may be lost after the files were moved."""
    hub.add_data(NAME, {"train.jsonl": rows(3)})
    hub.add_data("has/two", TWO)
    for name in (NAME, "has/two"):
        body = {"source": "huggingface", "reference": name}
        dataset = (await client.post(API, json=body)).json()
        job = await run_fetch(settings, sessions, dataset["id"])
        first = (await client.get(f"{API}/{dataset['id']}")).json()
        async with transaction(sessions) as session:
            await outcome.apply(session, job)
        second = (await client.get(f"{API}/{dataset['id']}")).json()
        assert {**first, "updated_at": 0} == {**second, "updated_at": 0}
