"""A run that is not expected to fit is refused, unless its owner accepts the risk."""

import shutil
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets.files import version_dir
from backend.datasets.versions.records import RecordWriter
from backend.jobs import service as jobs
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.settings import Settings
from backend.system import host
from backend.system.schemas import Memory
from backend.tasks.tables import TaskRow
from tests.backend.tasks.sources import add_dataset

PATH = "/api/v1/tasks"
TOTAL = 64_000_000_000


def have(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """From now on the host has `free` bytes."""
    facts = Memory(used_bytes=TOTAL - free, total_bytes=TOTAL)
    monkeypatch.setattr(host, "memory", lambda: facts)


async def estimate(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    plan = {k: v for k, v in body.items() if k not in {"name", "output_name"}}
    answer = await client.post(f"{PATH}/estimate", json=plan)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def needed(client: httpx.AsyncClient, body: dict[str, Any]) -> int:
    found: int = (await estimate(client, body))["memory_bytes"]
    return found


async def refused(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 409, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == "MemoryWillNotFit"
    assert "{" not in problem["title"] + problem["detail"]
    return problem


async def test_what_can_not_fit_is_refused_with_both_numbers(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have(monkeypatch, 100_000_000)
    need = await needed(client, body)
    problem = await refused(client, body)
    assert problem["params"] == {"needed_bytes": need, "available_bytes": 100_000_000}
    assert f"{need / 1e9:.1f} GB" in problem["detail"]
    assert "0.1 GB" in problem["detail"]
    assert problem["errors"] == []  # nothing makes python and torch themselves smaller
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(JobRow)) == 0


async def test_the_smaller_setting_that_fits_is_named_and_does(
    client: httpx.AsyncClient, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, await needed(client, body) - 1)
    problem = await refused(client, body)
    [error] = problem["errors"]
    assert (error["pointer"], error["code"], error["params"]["value"]) == (
        "/hyperparameters/micro_batch_size",
        "memory_setting_that_fits",
        1,
    )
    assert error["message"] in problem["detail"]
    assert (await estimate(client, body))["smaller_settings"] == [error]
    smaller = {**body, "hyperparameters": {"micro_batch_size": 1}}
    assert (await estimate(client, smaller))["smaller_settings"] == []
    assert await needed(client, smaller) == error["params"]["needed_bytes"]
    assert (await client.post(PATH, json=smaller)).status_code == 201


async def test_several_settings_are_changed_where_one_is_not_enough(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with transaction(sessions) as session:
        long = await add_dataset(
            session, settings, administrator.id, answer="word " * 1500, name="long"
        )
    full = {**body, "dataset_id": str(long.id), "method": "full"}
    knobs = {"micro_batch_size": 1, "gradient_checkpointing": True, "max_length": 256}
    fitting = await needed(client, {**full, "method": "lora", "hyperparameters": knobs})
    have(monkeypatch, fitting)
    problem = await refused(client, full)
    found = {error["pointer"]: error["params"]["value"] for error in problem["errors"]}
    assert found == {
        "/hyperparameters/micro_batch_size": 1,
        "/hyperparameters/gradient_checkpointing": True,
        "/method": "lora",
        "/hyperparameters/max_length": 256,
    }


async def test_weights_in_four_bits_come_last(
    client: httpx.AsyncClient, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slowest = {"micro_batch_size": 1, "gradient_checkpointing": True, "max_length": 128}
    lora = {**body, "hyperparameters": slowest}
    quantised = await needed(client, {**lora, "method": "qlora"})
    assert quantised < await needed(client, lora)
    have(monkeypatch, quantised)
    found = {e["pointer"]: e["params"]["value"] for e in (await refused(client, lora))["errors"]}
    assert found == {"/method": "qlora"}
    assert (await client.post(PATH, json={**lora, "method": "qlora"})).status_code == 201


async def test_muon_goes_with_the_whole_tuning_it_is_for(
    client: httpx.AsyncClient, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slowest = {"micro_batch_size": 1, "gradient_checkpointing": True}
    full = {**body, "method": "full", "hyperparameters": {**slowest, "optimizer": "muon"}}
    have(monkeypatch, await needed(client, full) - 1)
    found = {e["pointer"]: e["params"]["value"] for e in (await refused(client, full))["errors"]}
    assert found == {"/method": "lora", "/hyperparameters/optimizer": "adamw"}
    smaller = {**full, "method": "lora", "hyperparameters": {**slowest, "optimizer": "adamw"}}
    assert (await client.post(PATH, json=smaller)).status_code == 201


async def test_texts_of_a_single_token_are_refused_like_any_other(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with transaction(sessions) as session:
        words = await add_dataset(
            session, settings, administrator.id, record_type="language_modeling"
        )
    folder = version_dir(settings, words.id, 1)
    shutil.rmtree(folder)
    folder.mkdir()
    writer = RecordWriter(folder)
    for _ in range(40):
        writer.append({"text": "lamp"})
    writer.close()
    have(monkeypatch, 100_000_000)
    asked = {**body, "dataset_id": str(words.id), "objective": "pretrain"}
    assert (await refused(client, asked))["errors"] == []


async def test_an_accepted_risk_stays_accepted(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have(monkeypatch, 100_000_000)
    key = {"Idempotency-Key": "the same click"}
    assert (await client.post(PATH, json=body, headers=key)).status_code == 409
    accepted = {**body, "accept_memory_risk": True}
    answer = await client.post(PATH, json=accepted, headers=key)
    assert answer.status_code == 201, answer.text
    task = answer.json()
    assert task["accept_memory_risk"] is True
    assert task["estimate"]["fit"] == "will_not_fit"
    async with transaction(sessions) as session:
        row = await session.get_one(TaskRow, UUID(task["id"]))
        job = await jobs.get(session, row.job_id)
        assert (row.accept_memory_risk, job.memory_bytes) == (True, await needed(client, body))
        await jobs.move(session, job.id, 1, JobStatus.FAILED, "test")
    again = await client.post(f"{PATH}/{task['id']}/restart")
    assert again.status_code == 200, again.text
    assert again.json()["accept_memory_risk"] is True


async def test_what_the_playground_holds_counts_as_free(
    app: FastAPI, client: httpx.AsyncClient, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, 100_000_000)
    await refused(client, body)
    monkeypatch.setattr(app.state.playground, "_worker", _Worker(2_000_000_000))
    assert (await client.post(PATH, json=body)).status_code == 201
    monkeypatch.undo()


class _Worker:
    """A worker of that size."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def memory_bytes(self) -> int:
        return self._size_bytes
