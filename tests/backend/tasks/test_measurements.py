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
    plan = {k: body[k] for k in ("model_id", "dataset_id", "hyperparameters")}
    guess = (await client.post(f"{PATH}/estimate", json=plan)).json()
    assert "time_not_measured" in {w["code"] for w in guess["warnings"]}
    task = (await client.post(PATH, json=body)).json()
    async with transaction(sessions) as session:
        row = await session.get_one(TaskRow, UUID(task["id"]))
        row.measured = {"tokens_per_s": 1000.0, "device": "cpu", "dtype": "float32"}
    known = (await client.post(f"{PATH}/estimate", json=plan)).json()
    assert "time_not_measured" not in {w["code"] for w in known["warnings"]}


async def test_runs_of_the_same_way_count_for_more(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any]
) -> None:
    """A later run of another method says little about this one, but more than nothing."""
    dora = {**body, "hyperparameters": {**body["hyperparameters"], "lora_variant": "dora"}}
    plans = [
        {k: one[k] for k in ("model_id", "dataset_id", "hyperparameters")} for one in (body, dora)
    ]
    speeds = {"plain": 4000.0, "dora": 20.0}
    seconds = []
    for name, made in (("plain", body), ("dora", dora)):
        task = (await client.post(PATH, json={**made, "output_name": name, "name": name})).json()
        async with transaction(sessions) as session:
            row = await session.get_one(TaskRow, UUID(task["id"]))
            row.measured = {"tokens_per_s": speeds[name], "device": "cpu", "dtype": "float32"}
        seconds.append(
            [(await client.post(f"{PATH}/estimate", json=plan)).json()["time_s"] for plan in plans]
        )
    (plain_first, dora_guess), (plain, slow) = seconds
    assert plain == plain_first
    assert slow > 10 * dora_guess
