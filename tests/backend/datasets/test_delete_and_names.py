"""Data sets that go, with all that belongs to them; and names that are hard to keep."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from backend.database import SessionFactory, transaction
from backend.datasets.tables import DatasetUseRow
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs.schemas import Slot
from backend.jobs.tables import JobRow
from backend.settings import Settings
from tests.backend.datasets.conftest import API, Import
from tests.backend.datasets.test_api import LINES, left_over


async def test_delete_removes_rows_files_and_jobs(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    answer = await client.delete(f"{API}/{dataset['id']}")
    assert answer.status_code == 204
    assert (await client.get(f"{API}/{dataset['id']}")).status_code == 404
    assert left_over(settings) == []
    assert list(settings.runs_dir.iterdir()) == []
    async with transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(JobRow)) == 0


async def test_delete_is_refused_while_a_task_uses_it(
    upload: Import, client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    async with transaction(sessions) as session:
        job = await jobs.enqueue(
            session,
            kind="train",
            spec={},
            slot=Slot.TRAINING,
            owner_id=None,
            subject_id=(task_id := new_id()),
        )
        session.add(
            DatasetUseRow(
                dataset_id=UUID(dataset["id"]), task_id=task_id, job_id=job.id, task_name="Tune"
            )
        )
    used_by = (await client.get(f"{API}/{dataset['id']}")).json()["used_by"]
    shown = {"task_id": str(task_id), "name": "Tune", "status": "PENDING", "version": 1}
    assert used_by == [shown]
    refused = await client.delete(f"{API}/{dataset['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "DatasetInUse")
    assert refused.json()["errors"][0]["params"]["task_id"] == str(task_id)
    async with transaction(sessions) as session:
        await jobs.request_stop(session, job.id, save=False)
    assert (await client.delete(f"{API}/{dataset['id']}")).status_code == 204


async def test_a_long_file_name_gives_a_name_that_fits(client: httpx.AsyncClient) -> None:
    files = {"file": ("数" * 300 + ".jsonl", LINES.encode())}
    answer = await client.post(API, files=files)
    assert answer.status_code == 202, answer.text
    assert len(answer.json()["name"]) == 200
    assert answer.json()["filename"].endswith("数.jsonl")


async def test_delete_before_the_import_began(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = (await client.post(API, files={"file": ("a.jsonl", LINES.encode())})).json()
    assert (await client.delete(f"{API}/{dataset['id']}")).status_code == 204
    async with transaction(sessions) as session:
        assert await jobs.newest_of(session, UUID(dataset["id"])) is None
    assert left_over(settings) == []


@pytest.mark.parametrize(
    ("filename", "content"),
    [("a.jsonl", b'{"a\\u0000b": "x", "c": "y"}\n'), ("a.csv", b"a\x00b,c\nx,y\n")],
)
async def test_a_column_whose_name_no_database_keeps(
    upload: Import, filename: str, content: bytes
) -> None:
    dataset = await upload(filename, content)
    assert (dataset["status"], dataset["columns"]) == ("needs_mapping", ["a\ufffdb", "c"])
