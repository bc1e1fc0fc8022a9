"""Which rows a task trains on and is measured with: a version, a split, another data set."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import yaml
from sqlalchemy import select

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets import version_service
from backend.datasets.files import version_dir
from backend.datasets.tables import DatasetRow, DatasetUseRow, DatasetVersionRow
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import stored
from backend.jobs.tables import JobRow
from backend.settings import Settings
from backend.tasks import train_file
from backend.tasks.local_inputs import BadInput, import_data
from tests.backend.tasks.sources import add_dataset, add_model
from training_engine.data.records import read_rows

PATH = "/api/v1/tasks"
DIVIDED = 2


@pytest.fixture
async def data(sessions: SessionFactory, settings: Settings, administrator: UserRow) -> DatasetRow:
    """A data set of two versions, of which the second is divided."""
    async with transaction(sessions) as session:
        row = await add_dataset(session, settings, administrator.id)
        summary = {"status": "ready", "error": None, "splits": {}}
        summary |= {name: getattr(row, name) for name in version_service.FACTS}
        who = {"made_by": administrator.id}
        await version_service.publish(session, row, 1, summary, **who)
        folder = version_dir(settings, row.id, DIVIDED)
        folder.mkdir()
        writer = RecordWriter(folder)
        rows = stored(
            {"messages": [{"role": "user", "content": f"{n}?"},
                          {"role": "assistant", "content": f"{n}!"}], "meta": {"line": n + 1}}
            for n in range(50)
        )  # fmt: skip
        rows.splits = ["validation" if n % 5 == 0 else "train" for n in range(50)]
        writer.write(rows)
        summary |= {"num_rows": 50, "sha256": writer.close(), "splits": writer.splits}
        await version_service.publish(session, row, DIVIDED, summary, parent=1, **who)
        return row


@pytest.fixture
async def body(sessions: SessionFactory, settings: Settings, data: DatasetRow) -> dict[str, Any]:
    async with transaction(sessions) as session:
        model = await add_model(session, settings)
    ids = {"model_id": str(model.id), "dataset_id": str(data.id)}
    return {"name": "Lamp bot", "output_name": "lamp-bot", **ids}


async def _created(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], set[int]]:
    """The task, what the engine gets, and the versions that are kept for it."""
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    task = answer.json()
    async with transaction(sessions) as session:
        job = await session.scalar(select(JobRow).where(JobRow.kind == "train"))
        assert job is not None
        query = select(DatasetUseRow.version).where(DatasetUseRow.task_id == UUID(task["id"]))
        return task, job.spec, set(await session.scalars(query))


async def _codes(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, str]:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 400, answer.text
    for error in answer.json()["errors"]:
        assert "{" not in error["message"]
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


async def test_a_divided_version_is_trained_and_measured_on_its_parts(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any]
) -> None:
    task, spec, kept = await _created(client, sessions, body)
    assert (task["dataset"]["version"], task["dataset"]["split"]) == (DIVIDED, "train")
    assert task["validation_dataset"]["split"] == "validation"
    assert task["estimate"]["num_rows"] == 40
    assert kept == {DIVIDED}
    for part, number in (("dataset", 40), ("validation_dataset", 10)):
        source = spec[part]
        rows = list(read_rows(Path(source["path"]), source["sha256"], source["split"]))
        assert len(rows) == source["num_rows"] == number


async def test_another_version_is_what_was_asked_for(
    client: httpx.AsyncClient, sessions: SessionFactory, data: DatasetRow, body: dict[str, Any]
) -> None:
    task, spec, kept = await _created(client, sessions, {**body, "dataset_version": 1})
    assert (task["dataset"]["version"], task["dataset"]["split"]) == (1, None)
    assert task["validation_dataset"] is None
    assert (spec["dataset"]["num_rows"], spec["dataset"]["split"]) == (40, None)
    assert "/v1/" in spec["dataset"]["path"]
    assert kept == {1}


async def test_two_versions_of_one_data_set_are_both_kept(
    client: httpx.AsyncClient, sessions: SessionFactory, data: DatasetRow, body: dict[str, Any]
) -> None:
    validation = {"validation_dataset_id": str(data.id), "validation_version": 1}
    task, spec, kept = await _created(client, sessions, {**body, **validation})
    assert task["validation_dataset"]["version"] == 1
    assert "/v1/" in spec["validation_dataset"]["path"]
    assert kept == {1, DIVIDED}
    used = (await client.get(f"/api/v1/datasets/{data.id}/versions")).json()["items"]
    assert [len(version["used_by"]) for version in used] == [1, 1]


async def test_what_is_not_there_is_said_where_it_was_asked_for(
    client: httpx.AsyncClient, data: DatasetRow, body: dict[str, Any]
) -> None:
    found = await _codes(client, {**body, "dataset_version": 7})
    assert found["/dataset_id"] == "dataset_version_not_found"
    found = await _codes(client, {**body, "dataset_split": "test"})
    assert found["/dataset_id"] == "dataset_split_not_found"
    found = await _codes(client, {**body, "validation_split": "test"})
    assert found == {"/validation_dataset_id": "dataset_split_not_found"}


async def test_rows_that_are_trained_on_are_not_measured_with(
    client: httpx.AsyncClient, data: DatasetRow, body: dict[str, Any]
) -> None:
    same = {**body, "validation_split": "train"}
    assert await _codes(client, same) == {"/validation_dataset_id": "validation_is_training"}
    whole = {"dataset_version": 1, "validation_dataset_id": str(data.id), "validation_version": 1}
    found = await _codes(client, {**body, **whole})
    assert found == {"/validation_dataset_id": "validation_is_training"}


async def test_the_run_file_names_version_and_part_and_makes_the_same_run(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
    data: DatasetRow,
    tmp_path: Path,
) -> None:
    task, spec, _ = await _created(client, sessions, body)
    answer = await client.get(f"{PATH}/{task['id']}/spec", params={"format": "yaml"})
    written = yaml.safe_load(answer.text)
    assert written["dataset"] == {
        "path": "lamps-v2-train.jsonl",
        "split": "train",
        "record_type": "conversational",
        "version": DIVIDED,
        "sha256": spec["dataset"]["sha256"],
    }
    assert written["validation"]["path"] == "lamps-v2-validation.jsonl"
    # The comment says where the files are to be had.
    calls = re.findall(r"^# (\S+): GET (\S+)$", answer.text, re.MULTILINE)
    assert [name for name, _ in calls] == ["lamps-v2-train.jsonl", "lamps-v2-validation.jsonl"]
    for name, call in calls:
        exported = await client.get(call)
        assert f'filename="{name}"' in exported.headers["content-disposition"]
        (tmp_path / name).write_bytes(exported.content)
    (tmp_path / "run.yaml").write_text(answer.text)
    asked = train_file.read(tmp_path / "run.yaml")
    assert asked.validation is not None
    for name, file in (("dataset", asked.dataset), ("validation_dataset", asked.validation)):
        found = import_data(file, tmp_path / name, asked.objective)
        facts = ("sha256", "num_rows", "record_type")
        assert [getattr(found, fact) for fact in facts] == [spec[name][fact] for fact in facts]
        split = spec[name]["split"]
        told = list(read_rows(Path(spec[name]["path"]), spec[name]["sha256"], split))
        assert list(read_rows(Path(found.path), found.sha256)) == told
    # Other rows are not taken for these.
    asked.dataset.path.write_bytes((tmp_path / "lamps-v2-validation.jsonl").read_bytes())
    with pytest.raises(BadInput, match=r"not the rows of version 2 \(part train\)"):
        import_data(asked.dataset, tmp_path / "other", asked.objective)


async def test_an_upload_that_nobody_worked_on_is_named_by_its_file(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any], data: DatasetRow
) -> None:
    task, spec, _ = await _created(client, sessions, {**body, "dataset_version": 1})
    answer = await client.get(f"{PATH}/{task['id']}/spec", params={"format": "yaml"})
    sha256 = spec["dataset"]["sha256"]
    named = {"path": "lamps.jsonl", "version": 1, "sha256": sha256}
    assert yaml.safe_load(answer.text)["dataset"] == named
    # The version is deleted later: the file still says which rows they were.
    async with transaction(sessions) as session:
        version = await session.get(DatasetVersionRow, (data.id, 1))
        await session.delete(version)
    answer = await client.get(f"{PATH}/{task['id']}/spec", params={"format": "yaml"})
    assert yaml.safe_load(answer.text)["dataset"]["path"] == "lamps-v1.jsonl"
    assert "no longer on the platform" in answer.text
