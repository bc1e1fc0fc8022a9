"""The list of data sets says the same as each one does, before and after every change."""

from typing import Any

import httpx
import pytest
from sqlalchemy import delete, text, update

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets.tables import DatasetRow, DatasetUseRow
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs import subjects
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow

LIST = "/api/v1/datasets"


def a_row(owner: UserRow, **columns: Any) -> DatasetRow:
    values = {
        "name": "lamps", "description": "", "filename": "lamps.jsonl", "size_bytes": 10,
        "upload_sha256": "0" * 64, "status": "ready", "format": "openai_messages",
        "record_type": "conversational", "num_rows": 4, "sha256": "1" * 64,
        "counts": {"kept": 4, "repaired": 0, "truncated": 0, "dropped": 0},
    }  # fmt: skip
    return DatasetRow(owner_id=owner.id, **{"id": new_id(), **values, **columns})


async def the_list(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The list, twice, with each data set asked for by itself between."""
    answer = await client.get(LIST)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    assert items == [(await client.get(f"{LIST}/{item['id']}")).json() for item in items]
    assert (await client.get(LIST)).json()["items"] == items
    return items


async def use(sessions: SessionFactory, owner: UserRow, dataset: DatasetRow, name: str) -> JobRow:
    async with transaction(sessions) as session:
        task_id = new_id()
        job = await jobs.enqueue(
            session, kind="train", spec={}, slot=Slot.TRAINING, owner_id=owner.id,
            subject_id=task_id,
        )  # fmt: skip
        edge = DatasetUseRow(dataset_id=dataset.id, task_id=task_id, job_id=job.id, task_name=name)
        session.add(edge)
        return job


async def test_the_list_is_what_each_is(
    client: httpx.AsyncClient, sessions: SessionFactory, administrator: UserRow
) -> None:
    older, newer = sorted((new_id(), new_id()))  # made in one moment, they have no order
    first = a_row(administrator, id=older)
    second = a_row(administrator, id=newer, name="again")
    async with transaction(sessions) as session:
        session.add_all([first, second])
    items = await the_list(client)
    assert [item["same_as"] and item["same_as"]["name"] for item in items] == ["lamps", None]

    async def do(statement: Any) -> list[dict[str, Any]]:
        async with transaction(sessions) as session:
            await session.execute(statement)
        return await the_list(client)

    items = await do(update(DatasetRow).where(DatasetRow.id == first.id).values(name='"new"'))
    assert (items[0]["same_as"]["name"], items[1]["name"]) == ('"new"', '"new"')
    job = await use(sessions, administrator, first, 'Tune "it"')
    (used,) = (await the_list(client))[1]["used_by"]
    assert (used["name"], used["status"], used["version"]) == ('Tune "it"', "PENDING", 1)
    # Only the job's row changes, not the data set's.
    async with transaction(sessions) as session:
        await jobs.move(session, job.id, 1, JobStatus.STOPPED, "test")
    assert (await the_list(client))[1]["used_by"][0]["status"] == "STOPPED"
    items = await do(text("UPDATE datasets SET status = 'importing'"))
    assert {item["progress"] for item in items} == {0.0}
    items = await do(delete(DatasetRow).where(DatasetRow.id == first.id))
    assert [item["same_as"] for item in items] == [None]


async def test_of_many_uses_the_newest_are_told_and_all_are_counted(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    administrator: UserRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subjects, "SHOWN_USES", 3)
    row, unused, other = (a_row(administrator, upload_sha256=c * 64) for c in "abc")
    async with transaction(sessions) as session:
        session.add_all([row, unused, other])
    for number in range(5):
        await use(sessions, administrator, row, f"task {number}")
    for number in range(3):
        await use(sessions, administrator, other, f"other {number}")
    by_id = {item["id"]: item for item in await the_list(client)}
    told = by_id[str(row.id)]
    assert [each["name"] for each in told["used_by"]] == ["task 4", "task 3", "task 2"]
    assert told["used_by_count"] == 5
    assert (by_id[str(unused.id)]["used_by"], by_id[str(unused.id)]["used_by_count"]) == ([], 0)
    assert by_id[str(other.id)]["used_by_count"] == 3
    # A deletion is still refused with all of them in mind.
    refused = await client.delete(f"{LIST}/{row.id}")
    assert refused.json()["params"]["count"] == 5
