"""Number type, determinism and chat template of a task; another attempt with less at once."""

from typing import Any

import httpx
import pytest
import yaml

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.jobs import service as jobs
from backend.jobs.schemas import JobStatus
from backend.settings import Settings
from tests.backend.tasks.sources import add_dataset, add_model
from tests.tiny_model import CHATML
from training_engine.contract.spec import RunSpec

PATH = "/api/v1/tasks"
MARKED = (
    "{% for message in messages %}{% if loop.index > 9 %}{% break %}{% endif %}"
    "{% generation %}{{ message['content'] }}{% endgeneration %}{% endfor %}"
)


@pytest.fixture
async def body(
    sessions: SessionFactory, settings: Settings, administrator: UserRow
) -> dict[str, Any]:
    """A plan with a model that has no template of its own."""
    async with transaction(sessions) as session:
        data = await add_dataset(session, settings, administrator.id)
        model = await add_model(session, settings, has_chat_template=False)
    return {
        "name": "Lamp bot",
        "model_id": str(model.id),
        "dataset_id": str(data.id),
        "output_name": "lamp-bot",
    }


@pytest.mark.parametrize("jinja", [CHATML, MARKED])
async def test_it_reaches_the_engine_and_a_clone(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any], jinja: str
) -> None:
    chosen = {"precision": "float32", "deterministic": True, "chat_template": jinja}
    made = await client.post(PATH, json={**body, **chosen})
    assert made.status_code == 201, made.text
    task = made.json()
    assert {name: task[name] for name in chosen} == chosen
    spec = (await client.get(f"{PATH}/{task['id']}/spec")).json()
    assert {name: spec[name] for name in chosen} == chosen
    RunSpec.model_validate(spec)
    file = await client.get(f"{PATH}/{task['id']}/spec", params={"format": "yaml"})
    written = yaml.safe_load(file.text)
    assert {name: written[name] for name in chosen} == chosen


async def test_the_number_type_decides_the_memory(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    plan = {k: v for k, v in body.items() if k not in {"name", "output_name"}}
    needed = {}
    for precision in ("bfloat16", "float32"):
        asked = {**plan, "precision": precision, "chat_template": CHATML}
        answer = await client.post(f"{PATH}/estimate", json=asked)
        assert answer.status_code == 200, answer.text
        needed[precision] = answer.json()["memory_bytes"]
    assert needed["float32"] > needed["bfloat16"]


@pytest.mark.parametrize(
    ("jinja", "reason"),
    [
        ("{% for message in messages %}\n{{ message }}", "line 2: "),
        ("{{ messages | nothing_like_this(", "line 1: "),
        ("Hello", "it never looks at messages"),
    ],
)
async def test_a_template_that_can_not_be_used_is_refused_at_its_field(
    client: httpx.AsyncClient, body: dict[str, Any], jinja: str, reason: str
) -> None:
    answer = await client.post(PATH, json={**body, "chat_template": jinja})
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/chat_template", "bad_chat_template")
    assert reason in error["message"]


async def test_values_are_recommended_before_there_is_a_template(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    pair = {name: body[name] for name in ("model_id", "dataset_id")}
    assert (await client.post(f"{PATH}/recommend", json=pair)).status_code == 200


async def test_another_attempt_computes_less_at_once(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
) -> None:
    made = await client.post(PATH, json={**body, "chat_template": CHATML})
    task = made.json()
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, task["id"])
        assert job is not None
        await jobs.move(session, job.id, 1, JobStatus.FAILED, "test")
    restart = f"{PATH}/{task['id']}/restart"
    refused = await client.post(restart, json={"micro_batch_size": 4096})
    assert (refused.status_code, refused.json()["code"]) == (400, "TaskRefused")
    assert refused.json()["errors"][0]["pointer"] == "/micro_batch_size"
    less = {"micro_batch_size": 2, "gradient_checkpointing": True}
    again = (await client.post(restart, json=less)).json()
    assert (again["status"], again["attempt"]) == ("PENDING", 2)
    assert again["hyperparameters"]["micro_batch_size"] == 2
    assert again["hyperparameters"]["gradient_checkpointing"] is True
    assert not again["resumed"]
    assert again["estimate"]["memory_bytes"] < task["estimate"]["memory_bytes"]
    spec = (await client.get(f"{PATH}/{task['id']}/spec")).json()
    assert spec["hyperparameters"]["micro_batch_size"] == 2
    assert spec["hyperparameters"]["batch_size"] == task["hyperparameters"]["batch_size"]
