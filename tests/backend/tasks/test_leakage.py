"""Rows to measure with that are trained on, too, are told before a task is made of them."""

from typing import Any

import httpx
import pytest

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets import version_service
from backend.datasets.files import version_dir
from backend.datasets.hygiene.run import examine
from backend.datasets.tables import DatasetRow
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import stored
from backend.settings import Settings
from tests.backend.tasks.sources import add_dataset, add_model

PATH = "/api/v1/tasks/estimate"


def _said(question: str, answer: str, line: int) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns, "meta": {"line": line}}


async def _add(
    session: Any, settings: Settings, owner: UserRow, records: list[tuple[dict[str, Any], str]]
) -> DatasetRow:
    """A data set whose version 2 has these records in these splits."""
    row = await add_dataset(session, settings, owner.id)
    folder = version_dir(settings, row.id, 2)
    folder.mkdir()
    writer = RecordWriter(folder)
    rows = stored(record for record, _ in records)
    rows.splits = [split or None for _, split in records]
    writer.write(rows)
    summary = {"status": "ready", "error": None}
    summary |= {name: getattr(row, name) for name in version_service.FACTS}
    summary |= {"num_rows": len(records), "sha256": writer.close(), "splits": writer.splits}
    await version_service.publish(session, row, 2, summary, made_by=owner.id)
    return row


@pytest.fixture
async def model_id(sessions: SessionFactory, settings: Settings) -> str:
    async with transaction(sessions) as session:
        return str((await add_model(session, settings)).id)


WORDS = ["river", "lamp", "winter", "copper", "meadow", "engine", "violet", "harbour"]


def _text(number: int) -> str:
    return " ".join(WORDS[(number * 7 + n * (number + 3)) % 8] + str(number) for n in range(12))


async def _warnings(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    return {each["code"]: each["params"] for each in answer.json()["warnings"]}


async def test_splits_of_one_version_are_compared(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    model_id: str,
) -> None:
    trained = [(_said(_text(n), f"Yes {n}", n), "train") for n in range(30)]
    measured = [
        (_said(_text(3), "Yes 3", 30), "validation"),  # a copy
        (_said(_text(4), _text(77), 31), "validation"),  # the question again
        *((_said(_text(100 + n), "New", 32 + n), "validation") for n in range(4)),
    ]
    async with transaction(sessions) as session:
        row = await _add(session, settings, administrator, [*trained, *measured])
    body = {"model_id": model_id, "dataset_id": str(row.id)}
    assert "overlap_unknown" in await _warnings(client, body)
    examine(version_dir(settings, row.id, 2), "scratch")
    found = await _warnings(client, body)
    assert found["validation_overlaps"] == {"shared": 1, "exact": 1, "near": 0, "rows": 6}
    assert found["validation_shares_prompts"] == {"same_prompt": 1, "rows": 6}
    query = {"with_dataset_id": str(row.id), "split": "validation", "with_split": "train"}
    path = f"/api/v1/datasets/{row.id}/overlap"
    told = (await client.get(path, params=query)).json()
    shown = [(each["kind"], each["index"], each["other"]) for each in told["examples"]]
    assert shown == [("exact", 30, 3), ("same_prompt", 31, 4)]


async def test_another_data_set_without_common_rows_needs_no_remark(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    model_id: str,
) -> None:
    async with transaction(sessions) as session:
        first, second = [
            await _add(
                session,
                settings,
                administrator,
                [(_said(_text(n), "Yes", n), "") for n in range(start, start + 25)],
            )
            for start in (0, 50)
        ]
    for row in (first, second):
        examine(version_dir(settings, row.id, 2), "scratch")
    body = {"model_id": model_id, "dataset_id": str(first.id)}
    found = await _warnings(client, {**body, "validation_dataset_id": str(second.id)})
    assert not {"validation_overlaps", "validation_shares_prompts", "overlap_unknown"} & set(found)
