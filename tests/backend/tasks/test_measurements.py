"""What finished runs have shown makes the next estimate certain."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.database import SessionFactory, transaction
from backend.tasks.tables import TaskRow

PATH = "/api/v1/tasks"


@pytest.fixture
def body(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "hyperparameters": {"epochs": 2, "lora_rank": 4}}


async def test_a_measured_run_narrows_the_estimate(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any]
) -> None:
    plan = plan_of(body)
    guess = (await client.post(f"{PATH}/estimate", json=plan)).json()
    assert "time_not_measured" in {w["code"] for w in guess["warnings"]}
    await finish(client, sessions, body, "plain", 1000.0)
    known = (await client.post(f"{PATH}/estimate", json=plan)).json()
    assert "time_not_measured" not in {w["code"] for w in known["warnings"]}


async def test_runs_in_the_same_pieces_count_for_more(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any]
) -> None:
    """Of the same way, but cut elsewhere: those say nothing where these have been seen."""
    short = {**body, "hyperparameters": {**body["hyperparameters"], "max_length": 64}}
    await finish(client, sessions, body, "usual", 4000.0)
    await finish(client, sessions, short, "short", 20.0)
    usual, slow = [await seconds_of(client, one) for one in (body, short)]
    assert slow > 10 * usual


async def test_runs_of_the_same_way_count_for_more(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any]
) -> None:
    """A later run of another method says little about this one, but more than nothing."""
    dora = {**body, "hyperparameters": {**body["hyperparameters"], "lora_variant": "dora"}}
    await finish(client, sessions, body, "plain", 4000.0)
    plain_first, dora_guess = [await seconds_of(client, one) for one in (body, dora)]
    await finish(client, sessions, dora, "dora", 20.0)
    plain, slow = [await seconds_of(client, one) for one in (body, dora)]
    assert plain == plain_first
    assert slow > 10 * dora_guess


async def finish(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
    name: str,
    tokens_per_s: float,
) -> None:
    """A task of `body` that has run so fast."""
    task = (await client.post(PATH, json={**body, "output_name": name, "name": name})).json()
    async with transaction(sessions) as session:
        row = await session.get_one(TaskRow, UUID(task["id"]))
        row.measured = {"tokens_per_s": tokens_per_s, "device": "cpu", "dtype": "float32"}


def plan_of(body: dict[str, Any]) -> dict[str, Any]:
    return {k: body[k] for k in ("model_id", "dataset_id", "hyperparameters")}


async def seconds_of(client: httpx.AsyncClient, body: dict[str, Any]) -> float:
    expected: float = (await client.post(f"{PATH}/estimate", json=plan_of(body))).json()["time_s"]
    return expected
