"""An import under way: how it is told, and what is there after it was stopped."""

from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import update

from backend.database import SessionFactory, transaction
from backend.datasets.importing import outcome
from backend.jobs import service as jobs
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.settings import Settings
from tests.backend.datasets.conftest import API, Import, run_import
from tests.backend.datasets.test_api import LINES

AS_TEXT = {"record_type": "language_modeling", "columns": {"text": "output"}}
ROWS = "".join(f'{{"instruction": "Ask {n}", "output": "Say {n}"}}\n' for n in range(9))


async def _start(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post(API, files={"file": ("a.jsonl", LINES.encode())})
    assert answer.status_code == 202, answer.text
    dataset: dict[str, Any] = answer.json()
    return dataset


async def test_rows_speed_and_time_are_told_while_it_runs(
    client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    dataset = await _start(client)
    assert dataset["work"] == {"progress": 0.0, "rows": None, "rows_per_s": None, "eta_s": None}
    async with transaction(sessions) as session:
        facts = {"rows": 1200.0, "rows_per_s": 400.5}
        values = {"progress": 0.25, "eta_s": 9.0, "metrics": facts}
        await session.execute(
            update(JobRow).where(JobRow.subject_id == UUID(dataset["id"])).values(**values)
        )
    found = (await client.get(f"{API}/{dataset['id']}")).json()
    assert found["progress"] == 0.25
    told = {"progress": 0.25, "rows": 1200, "rows_per_s": 400.5, "eta_s": 9.0}
    assert found["work"] == told


async def test_a_first_import_that_is_stopped_can_be_begun_again(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await _start(client)
    path = f"{API}/{dataset['id']}"
    stopped = (await client.post(f"{path}/stop")).json()
    assert (stopped["status"], stopped["error"]["code"]) == ("failed", "import_stopped")
    assert stopped["work"] is None
    again = await client.post(f"{path}/stop")
    assert (again.status_code, again.json()["code"]) == (409, "NothingUnderWay")
    assert (await client.patch(path, json={"mapping": None})).status_code == 200
    await run_import(settings, sessions, dataset["id"])
    assert (await client.get(path)).json()["status"] == "ready"


async def test_stopping_another_import_goes_back_to_the_version_before(
    upload: Import, client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", ROWS)
    path = f"{API}/{dataset['id']}"
    assert (await client.patch(path, json={"mapping": AS_TEXT})).json()["status"] == "importing"
    async with transaction(sessions) as session:  # the supervisor has begun it
        job = await jobs.newest_of(session, UUID(dataset["id"]), "import_dataset")
        assert job is not None
        await jobs.move(session, job.id, job.attempt, JobStatus.PREPARING, "claimed")
    asked = (await client.post(f"{path}/stop")).json()
    assert asked["status"] == "importing"
    async with transaction(sessions) as session:
        ended = await jobs.move(session, job.id, job.attempt, JobStatus.STOPPED, "stopped")
        await outcome.apply(session, ended)
    found = (await client.get(path)).json()
    same = ("status", "version", "sha256", "record_type", "mapping", "error", "num_rows")
    assert {name: found[name] for name in same} == {name: dataset[name] for name in same}
