"""Examinations through the API: queued, shown while they run, failed, started anew; overlap."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.datasets.hygiene import job as hygiene_job
from backend.datasets.hygiene import outcome, service
from backend.datasets.hygiene.findings import NAMES
from backend.datasets.hygiene_schemas import FindingName
from backend.datasets.tables import DatasetRow
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner.kinds import spec_of
from backend.settings import Settings
from tests.backend.datasets.conftest import API, Import
from tests.conftest import SignIn

ROWS = (
    '{"instruction": "Who?", "output": "anna.berg@firma.de"}\n'
    '{"instruction": "Who?", "output": "anna.berg@firma.de"}\n'
    '{"instruction": "What do you say to that?", "output": "I say nothing at all to that."}\n'
)


async def job_of(sessions: SessionFactory, dataset_id: str) -> JobRow:
    async with transaction(sessions) as session:
        found = await jobs.newest_of(session, UUID(dataset_id), service.EXAMINE)
        assert found is not None
        return found


async def begin(sessions: SessionFactory, dataset_id: str) -> JobRow:
    job = await job_of(sessions, dataset_id)
    async with transaction(sessions) as session:
        await jobs.move(session, job.id, job.attempt, JobStatus.PREPARING, "claimed")
        return await jobs.move(session, job.id, job.attempt, JobStatus.RUNNING, "started")


async def examine(settings: Settings, sessions: SessionFactory, dataset_id: str) -> JobRow:
    """What the supervisor does with the queued examination."""
    job = await begin(sessions, dataset_id)
    folder = RunFolder.of(settings.runs_dir, job.id, job.attempt)
    folder.create(spec_of(job, None))
    code = await asyncio.to_thread(hygiene_job.main, [str(folder.path)])
    ended = JobStatus.COMPLETED if code == 0 else JobStatus.FAILED
    async with transaction(sessions) as session:
        job = await jobs.move(session, job.id, job.attempt, ended, "finished")
        await outcome.apply(session, job)
    return job


async def of(client: httpx.AsyncClient, dataset_id: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(f"{API}/{dataset_id}/hygiene", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_api_knows_every_finding() -> None:
    assert {name.value for name in FindingName} == set(NAMES)


async def test_from_waiting_to_ready(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, upload: Import
) -> None:
    id_ = (await upload("a.jsonl", ROWS))["id"]
    posted = await client.post(f"{API}/{id_}/hygiene")
    assert posted.status_code == 202
    assert posted.json()["status"] == "waiting"
    assert (await of(client, id_))["status"] == "waiting"
    # The data set itself is ready all the while, and its progress is that of imports.
    assert (await client.get(f"{API}/{id_}")).json()["progress"] is None
    await begin(sessions, id_)
    running = await of(client, id_)
    assert (running["status"], running["progress"]) == ("running", 0.0)
    assert (await client.post(f"{API}/{id_}/hygiene")).json()["status"] == "running"
    job = await job_of(sessions, id_)
    assert job.spec["then"] == []
    async with transaction(sessions) as session:
        await jobs.move(session, job.id, job.attempt, JobStatus.STOPPED, "user_stop")
    stopped = await of(client, id_)
    assert (stopped["status"], stopped["error"]["code"]) == ("failed", "examination_stopped")
    await client.post(f"{API}/{id_}/hygiene")
    await examine(settings, sessions, id_)
    ready = await of(client, id_)
    assert (ready["status"], ready["version"], ready["error"]) == ("ready", 1, None)
    counts = {finding["name"]: finding["rows"] for finding in ready["findings"]}
    assert counts == {"exact_duplicates": 1, "email": 2, "short_answer": 2}
    assert "berg" not in str(ready)
    found = (await client.get(f"{API}/{id_}/rows", params={"q": "nothing"})).json()
    assert found["total"] == 1


async def test_a_failure_harms_nothing_and_says_why(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, upload: Import
) -> None:
    id_ = (await upload("a.jsonl", ROWS))["id"]
    await client.post(f"{API}/{id_}/hygiene")
    records = settings.datasets_dir / id_ / "v1" / "records.parquet"
    content = records.read_bytes()
    records.write_bytes(content[:-20])
    assert (await examine(settings, sessions, id_)).status == JobStatus.FAILED
    failed = await of(client, id_)
    assert (failed["status"], failed["findings"]) == ("failed", [])
    assert (await client.get(f"{API}/{id_}")).json()["status"] == "ready"
    records.write_bytes(content)
    await client.post(f"{API}/{id_}/hygiene")
    await examine(settings, sessions, id_)
    assert (await of(client, id_))["status"] == "ready"


async def test_versions_that_come_meanwhile_wait_for_their_turn(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, upload: Import
) -> None:
    id_ = (await upload("a.jsonl", ROWS))["id"]

    async def queue(version: int) -> None:
        async with transaction(sessions) as session:
            row = await session.get(DatasetRow, UUID(id_))
            assert row is not None
            await service.enqueue(session, settings, row, version)

    await queue(1)
    await queue(1)
    assert (await job_of(sessions, id_)).spec["then"] == []
    first = await begin(sessions, id_)
    await queue(1)  # it was written again while it is examined
    await queue(2)
    await queue(2)
    assert (await job_of(sessions, id_)).spec["then"] == [1, 2]
    async with transaction(sessions) as session:
        ended = await jobs.move(session, first.id, first.attempt, JobStatus.FAILED, "lost")
        await outcome.apply(session, ended)
    job = await job_of(sessions, id_)
    assert (job.id != first.id, job.spec["version"], job.spec["then"]) == (True, 1, [2])
    await examine(settings, sessions, id_)
    assert (await job_of(sessions, id_)).spec["version"] == 2
    assert (await of(client, id_, version=1))["status"] == "ready"


async def test_what_has_no_rows_is_not_examined(client: httpx.AsyncClient, upload: Import) -> None:
    needs = await upload("a.csv", "x,y\n1,2\n")
    assert needs["status"] == "needs_mapping"
    assert (await of(client, needs["id"]))["status"] == "waiting"
    refused = await client.post(f"{API}/{needs['id']}/hygiene")
    assert (refused.status_code, refused.json()["code"]) == (404, "NothingToExamine")
    ready = await upload("a.jsonl", ROWS)
    fresh = await of(client, ready["id"])
    assert (fresh["status"], fresh["error"]) == ("waiting", None)  # the import has queued it
    for call in (client.get, client.post):
        none = await call(f"{API}/{ready['id']}/hygiene", params={"version": 9})
        assert (none.status_code, none.json()["code"]) == (404, "NothingToExamine")


async def test_overlap_of_two_data_sets(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, upload: Import
) -> None:
    one, two = (await upload("a.jsonl", ROWS))["id"], (await upload("b.jsonl", ROWS[:112]))["id"]
    url, params = f"{API}/{two}/overlap", {"with_dataset_id": one}
    refused = await client.get(url, params=params)
    assert (refused.status_code, refused.json()["code"]) == (409, "NotExaminedYet")
    for id_ in (one, two):
        await client.post(f"{API}/{id_}/hygiene")
        await examine(settings, sessions, id_)
    found = (await client.get(url, params=params)).json()
    assert (found["exact"], found["near"], found["same_prompt"], found["rows"]) == (2, 0, 0, 2)
    assert (found["dataset_id"], found["with_version"]) == (two, 1)
    assert "berg" not in found["examples"][0]["excerpt"]
    missing = await client.get(url, params={**params, "with_version": 3})
    assert (missing.status_code, missing.json()["code"]) == (404, "NothingToExamine")


@pytest.mark.parametrize("path", ["hygiene", "overlap"])
async def test_only_for_those_who_see_both(
    client: httpx.AsyncClient, sign_in: SignIn, upload: Import, path: str
) -> None:
    id_ = (await upload("a.jsonl", ROWS))["id"]
    other = await sign_in("mallory", Role.MEMBER)
    for dataset_id in (id_, "0198c5a1-0000-7000-8000-000000000000"):
        params = {"with_dataset_id": id_}
        answer = await other.get(f"{API}/{dataset_id}/{path}", params=params)
        assert (answer.status_code, answer.json()["code"]) == (404, "DatasetNotFound")
