"""Versions stay as they are; two can be compared, an earlier one can be the current one again."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.database import SessionFactory, transaction
from backend.datasets import files, version_service
from backend.datasets.importing.outcome import read_summary
from backend.datasets.tables import DatasetRow, DatasetUseRow
from backend.datasets.versions.names import SUMMARY_FILE
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import stored
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs.schemas import Slot
from backend.settings import Settings
from tests.backend.datasets.conftest import API, Import, run_import

LINES = "".join(
    json.dumps({"instruction": f"Question {n}", "output": f"Answer {n}", "note": n}) + "\n"
    for n in range(20)
)


async def _versions(client: httpx.AsyncClient, dataset_id: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{API}/{dataset_id}/versions")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def _import_as(
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
    dataset_id: str,
    mapping: dict[str, Any] | None,
) -> dict[str, Any]:
    answer = await client.patch(f"{API}/{dataset_id}", json={"mapping": mapping})
    assert answer.status_code == 200, answer.text
    await run_import(settings, sessions, dataset_id)
    found: dict[str, Any] = (await client.get(f"{API}/{dataset_id}")).json()
    return found


AS_TEXT = {"record_type": "language_modeling", "columns": {"text": "output"}}


async def derive(
    sessions: SessionFactory, settings: Settings, dataset_id: str, records: list[dict[str, Any]]
) -> int:
    """A version of these records, written as a preparation writes it; `split` of a record goes
    into its own column."""
    async with transaction(sessions) as session:
        row = await session.get(DatasetRow, UUID(dataset_id))
        assert row is not None
        number = await version_service.next_number(session, row)
        folder = files.version_dir(settings, row.id, number)
        folder.mkdir()
        writer = RecordWriter(folder)
        splits = [record.pop("split", None) for record in records]
        rows = stored(records)
        rows.splits = splits
        writer.write(rows)
        summary = read_summary(files.version_dir(settings, row.id, row.version))
        summary |= {"num_rows": writer.num_rows, "sha256": writer.close(), "splits": writer.splits}
        (folder / SUMMARY_FILE).write_text(json.dumps(summary))
        await version_service.publish(
            session, row, number, summary, made_by=row.owner_id, parent=row.version
        )
    return number


async def test_another_mapping_makes_another_version(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    second = await _import_as(client, settings, sessions, dataset["id"], AS_TEXT)
    assert (second["version"], second["record_type"]) == (2, "language_modeling")
    newest, first = await _versions(client, dataset["id"])
    assert (newest["version"], newest["is_current"], newest["mapping"]["record_type"]) == (
        2,
        True,
        "language_modeling",
    )
    assert (first["version"], first["is_current"], first["record_type"]) == (
        1,
        False,
        "prompt_completion",
    )
    assert first["made_by"] is not None
    assert first["sha256"] == dataset["sha256"] != newest["sha256"]
    assert first["counts"]["kept"] == first["num_rows"] == 20
    rows = (await client.get(f"{API}/{dataset['id']}/rows", params={"version": 1})).json()
    assert rows["items"][3]["record"]["messages"][1]["content"] == "Answer 3"
    rows = (await client.get(f"{API}/{dataset['id']}/rows")).json()
    assert rows["items"][3]["record"]["text"] == "Answer 3"
    for part in ("rows", "report", "statistics"):
        answer = await client.get(f"{API}/{dataset['id']}/{part}", params={"version": 3})
        assert (answer.status_code, answer.json()["code"]) == (404, "DatasetVersionNotFound")


async def test_an_import_that_fails_leaves_the_version_before_to_go_back_to(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    lines = "".join(f'{{"text": "Row {n}", "kind": ""}}\n' for n in range(5))
    dataset = await upload("a.jsonl", lines)
    bad = {"record_type": "classification", "columns": {"text": "text", "label": "kind"}}
    failed = await _import_as(client, settings, sessions, dataset["id"], bad)
    assert failed["status"] == "failed"
    (kept,) = await _versions(client, dataset["id"])
    assert (kept["version"], kept["is_current"]) == (1, False)
    answer = await client.post(f"{API}/{dataset['id']}/versions/1/restore")
    assert answer.status_code == 200, answer.text
    restored = answer.json()
    assert (restored["status"], restored["version"], restored["error"]) == ("ready", 1, None)
    assert restored["sha256"] == dataset["sha256"]
    assert restored["mapping"] is None
    rows = (await client.get(f"{API}/{dataset['id']}/rows")).json()
    assert rows["total"] == 5


async def test_the_difference_counts_rows_added_removed_and_changed(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES + LINES)  # each row twice
    path = f"{API}/{dataset['id']}"
    records = [row["record"] for row in (await client.get(f"{path}/rows")).json()["items"]]
    changed = json.loads(json.dumps(records[7]))
    changed["messages"][1]["content"] = "Another answer"
    # One of a pair of equal rows is gone, one row has changed, one more is new.
    new = {"messages": [*records[0]["messages"][:1], {"role": "assistant", "content": "New"}]}
    after = [*records[1:7], changed, *records[8:], {**new, "meta": {"line": 99}}]
    number = await derive(sessions, settings, dataset["id"], after)
    answer = await client.get(f"{path}/versions/{number}/diff", params={"against": 1})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    numbers = {name: found[name] for name in ("added", "removed", "changed", "unchanged")}
    assert numbers == {"added": 1, "removed": 1, "changed": 1, "unchanged": 38}
    by_change = {item["change"]: item for item in found["items"]}
    assert by_change["changed"]["before"] == records[7]
    assert by_change["changed"]["after"]["messages"][1]["content"] == "Another answer"
    assert by_change["removed"]["before"] == records[0]
    assert by_change["added"]["after"]["messages"][1]["content"] == "New"
    back = (await client.get(f"{path}/versions/1/diff", params={"against": number})).json()
    assert (back["added"], back["removed"], back["changed"]) == (1, 1, 1)
    same = (await client.get(f"{path}/versions/1/diff", params={"against": 1})).json()
    assert (same["unchanged"], same["items"]) == (40, [])


async def test_a_version_in_use_or_current_is_not_deleted(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    path = f"{API}/{dataset['id']}/versions"
    await _import_as(client, settings, sessions, dataset["id"], AS_TEXT)
    refused = await client.delete(f"{path}/2")
    assert (refused.status_code, refused.json()["code"]) == (409, "DatasetVersionIsCurrent")
    async with transaction(sessions) as session:
        values = {"kind": "train", "spec": {}, "slot": Slot.TRAINING, "owner_id": None}
        task_id = new_id()
        job = await jobs.enqueue(session, subject_id=task_id, **values)
        edge = {"task_id": task_id, "job_id": job.id, "task_name": "Tune"}
        session.add(DatasetUseRow(dataset_id=UUID(dataset["id"]), version=1, **edge))
    refused = await client.delete(f"{path}/1")
    assert (refused.status_code, refused.json()["code"]) == (409, "DatasetVersionInUse")
    newest, first = await _versions(client, dataset["id"])
    assert [use["name"] for use in first["used_by"]] == ["Tune"]
    assert newest["used_by"] == []
    async with transaction(sessions) as session:
        await jobs.request_stop(session, job.id, save=False)
    folder = files.version_dir(settings, UUID(dataset["id"]), 1)
    assert folder.is_dir()
    assert (await client.delete(f"{path}/1")).status_code == 204
    assert not folder.exists()
    assert [each["version"] for each in await _versions(client, dataset["id"])] == [2]
    assert (await client.delete(f"{path}/1")).status_code == 404


async def test_a_version_that_is_read_by_a_preparation_is_not_deleted(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    await _import_as(client, settings, sessions, dataset["id"], AS_TEXT)
    async with transaction(sessions) as session:
        spec = {"reads": [{"dataset_id": dataset["id"], "version": 1}]}
        values = {"kind": "prepare_dataset", "slot": Slot.LIGHT, "owner_id": None}
        await jobs.enqueue(session, spec=spec, subject_id=new_id(), **values)
    refused = await client.delete(f"{API}/{dataset['id']}/versions/1")
    assert (refused.status_code, refused.json()["code"]) == (409, "DatasetVersionRead")


async def test_rows_of_a_split(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    path = f"{API}/{dataset['id']}/rows"
    records = [row["record"] for row in (await client.get(path)).json()["items"]]
    for number, record in enumerate(records):
        record["split"] = "validation" if number % 5 == 0 else "train"
    await derive(sessions, settings, dataset["id"], records)
    newest, _ = await _versions(client, dataset["id"])
    assert newest["splits"] == {"train": 16, "validation": 4}
    assert newest["sha256"] == dataset["sha256"]
    found = (await client.get(path, params={"split": "validation"})).json()
    assert (found["total"], [item["index"] for item in found["items"]]) == (4, [0, 5, 10, 15])
    found = (await client.get(path, params={"split": "train", "q": "ANSWER 1"})).json()
    wanted = [n for n in (1, *range(10, 20)) if n % 5]
    assert [item["index"] for item in found["items"]] == wanted
    missing = await client.get(path, params={"split": "test"})
    assert (missing.status_code, missing.json()["code"]) == (404, "NoSuchSplit")
    found = (await client.get(path, params={"line": 6})).json()
    assert [(item["index"], item["line"]) for item in found["items"]] == [(5, 6)]
    found = (await client.get(path, params={"line": 6, "split": "train"})).json()
    assert (found["total"], found["items"]) == (0, [])


@pytest.mark.parametrize("made", ["before", "after"])
async def test_allowing_dropped_rows_is_recorded_in_the_version(
    upload: Import, client: httpx.AsyncClient, made: str
) -> None:
    lines = LINES + '{"instruction": "No answer", "output": ""}\n'
    allowed = {"max_dropped_rows": "1"} if made == "before" else {}
    dataset = await upload("a.jsonl", lines, **allowed)
    if made == "after":
        assert (await _versions(client, dataset["id"]))[0]["status"] == "blocked"
        answer = await client.patch(f"{API}/{dataset['id']}", json={"max_dropped_rows": 1})
        assert answer.json()["status"] == "ready"
    (version,) = await _versions(client, dataset["id"])
    assert (version["status"], version["counts"]["dropped"]) == ("ready", 1)


def test_the_folder_of_a_version_holds_what_the_reader_expects(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path)
    rows = stored([{"text": "a", "meta": {"line": 1}}, {"text": "b", "meta": {"line": 2}}])
    rows.splits = ["train", None]
    writer.write(rows)
    writer.close()
    assert writer.splits.keys() == {"train"}
    assert writer.splits["train"]["num_rows"] == 1
