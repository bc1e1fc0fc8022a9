"""Creating a task: one transaction, one task per key, and plain refusals before anything starts."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets.tables import DatasetRow, DatasetUseRow
from backend.errors import Unavailable
from backend.ids import new_id
from backend.jobs.schemas import Slot
from backend.jobs.tables import JobRow
from backend.models.tables import ModelRow, ModelUseRow
from backend.settings import Settings
from backend.tasks import service
from backend.tasks.tables import TaskRow
from tests.backend.tasks.sources import add_dataset, add_model
from tests.conftest import SignIn
from training_engine.contract.spec import RunSpec

PATH = "/api/v1/tasks"


@pytest.fixture
async def data(sessions: SessionFactory, settings: Settings, administrator: UserRow) -> DatasetRow:
    async with transaction(sessions) as session:
        return await add_dataset(session, settings, administrator.id)


@pytest.fixture
async def model(sessions: SessionFactory, settings: Settings) -> ModelRow:
    async with transaction(sessions) as session:
        return await add_model(session, settings)


@pytest.fixture
def body(data: DatasetRow, model: ModelRow) -> dict[str, Any]:
    return {
        "name": "Lamp bot",
        "intent": "chat",
        "model_id": str(model.id),
        "dataset_id": str(data.id),
        "hyperparameters": {"epochs": 2, "lora_rank": 4},
        "output_name": "lamp-bot",
    }


async def _refused(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, dict]:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["code"] == "TaskRefused"
    assert answer.headers["content-type"] == "application/problem+json"
    for error in problem["errors"]:
        assert "{" not in error["message"]
    return {error["pointer"]: error for error in problem["errors"]}


async def test_a_task_is_created_with_job_spec_edges_and_estimate(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
    data: DatasetRow,
    model: ModelRow,
) -> None:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    task = answer.json()
    assert (task["status"], task["attempt"], task["owner"]) == ("PENDING", 1, "admin")
    assert task["queue"] == {"position": 1, "reason": "waiting_for_supervisor", "params": {}}
    assert task["model"] == {"id": str(model.id), "name": "tiny"}
    assert task["hyperparameters"]["batch_size"] == 8
    assert task["estimate"]["total_steps"] == 10
    assert not task["has_artifact"]
    async with sessions() as session:
        job = await session.scalar(select(JobRow))
        assert job is not None
        assert (job.kind, job.slot, job.subject_id) == ("train", Slot.TRAINING, UUID(task["id"]))
        spec = RunSpec.model_validate({**job.spec, "run_id": str(job.id)})
        assert spec.dataset.sha256 == data.sha256
        assert spec.model.path.endswith(str(model.id))
        assert spec.hyperparameters.lora_rank == 4
        for edge in (DatasetUseRow, ModelUseRow):
            assert await session.scalar(select(edge.task_id)) == UUID(task["id"])
    assert (await client.get(f"{PATH}/{task['id']}")).json() == task


async def test_an_intent_in_own_words_is_kept(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    words = "answers the questions that our shop gets at night"
    answer = await client.post(PATH, json={**body, "intent": words})
    assert (answer.status_code, answer.json()["intent"]) == (201, words)
    for wrong in ("", "x" * 201):
        refused = await client.post(PATH, json={**body, "intent": wrong, "output_name": "o2"})
        assert refused.status_code == 422


async def test_two_clicks_make_one_task(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": "one-click"}
    answers = await asyncio.gather(*(client.post(PATH, json=body, headers=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    again = await client.post(PATH, json=body, headers=key)
    assert again.json() == answers[0].json()
    other = await client.post(PATH, json={**body, "name": "Another"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "IdempotencyKeyReused")
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(TaskRow)) == 1
        assert await session.scalar(select(func.count()).select_from(JobRow)) == 1


async def test_of_two_tasks_with_one_output_name_one_is_refused(
    client: httpx.AsyncClient, sessions: SessionFactory, body: dict[str, Any]
) -> None:
    bodies = [body, {**body, "output_name": "LAMP-bot"}]
    answers = await asyncio.gather(*(client.post(PATH, json=b) for b in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 400]
    errors = await _refused(client, body)
    assert errors["/output_name"]["code"] == "output_name_taken"
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(JobRow)) == 1


async def test_what_does_not_fit_is_told_all_at_once(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    body: dict[str, Any],
) -> None:
    async with transaction(sessions) as session:
        labels = await add_dataset(
            session, settings, administrator.id, record_type="classification", name="labels"
        )
        plain = await add_model(session, settings, has_chat_template=False, context_length=512)
    wrong = {
        **body,
        "dataset_id": str(labels.id),
        "validation_dataset_id": str(labels.id),
        "model_id": str(plain.id),
        "device": "cuda",
    }
    errors = await _refused(client, wrong)
    assert {pointer: error["code"] for pointer, error in errors.items()} == {
        "/dataset_id": "record_type_mismatch",
        "/model_id": "no_chat_template",
        "/validation_dataset_id": "validation_is_training",
        "/hyperparameters/max_length": "max_length_too_long",
        "/device": "device_missing",
    }
    async with transaction(sessions) as session:
        (await session.get_one(ModelRow, plain.id)).architecture = "WhisperForConditionalGeneration"
    errors = await _refused(client, {**body, "model_id": str(plain.id)})
    assert errors["/model_id"]["code"] == "model_not_trainable"


async def test_a_local_model_whose_folder_has_gone_is_refused(
    client: httpx.AsyncClient, sessions: SessionFactory, model: ModelRow, body: dict[str, Any]
) -> None:
    async with transaction(sessions) as session:
        (await session.get_one(ModelRow, model.id)).source = "local"
    assert (await _refused(client, body))["/model_id"]["code"] == "model_folder_gone"


@pytest.mark.parametrize("status", ["importing", "blocked", "needs_mapping", "failed"])
async def test_data_that_is_not_ready_is_refused(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
    data: DatasetRow,
    status: str,
) -> None:
    async with transaction(sessions) as session:
        (await session.get_one(DatasetRow, data.id)).status = status
    errors = await _refused(client, body)
    assert errors["/dataset_id"]["code"] == f"dataset_{status}"
    assert "lamps" in errors["/dataset_id"]["message"]


@pytest.mark.parametrize("status", ["downloading", "converting", "failed"])
async def test_models_that_are_not_ready_are_refused(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
    model: ModelRow,
    status: str,
) -> None:
    async with transaction(sessions) as session:
        (await session.get_one(ModelRow, model.id)).status = status
    assert (await _refused(client, body))["/model_id"]["code"] == f"model_{status}"


async def test_unknown_and_foreign_sources_look_the_same(
    client: httpx.AsyncClient, sign_in: SignIn, body: dict[str, Any]
) -> None:
    nothing = {**body, "model_id": str(new_id()), "dataset_id": str(new_id())}
    errors = await _refused(client, nothing)
    assert errors["/model_id"]["code"] == "model_not_found"
    bob = await sign_in("bob", Role.MEMBER)
    foreign = await _refused(bob, body)
    assert foreign["/dataset_id"] == errors["/dataset_id"]


async def test_wrong_shapes_name_their_field(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    for change, pointer in (
        ({"hyperparameters": {"epochs": -1}}, "/hyperparameters/epochs"),
        ({"output_name": "../../etc"}, "/output_name"),
        ({"status": "COMPLETED"}, "/status"),
        ({"method": "magic"}, "/method"),
    ):
        answer = await client.post(PATH, json={**body, **change})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_viewers_create_nothing(
    sign_in: SignIn, body: dict[str, Any], sessions: SessionFactory
) -> None:
    viewer = await sign_in("vera", Role.VIEWER)
    assert (await viewer.post(PATH, json=body)).status_code == 403
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(TaskRow)) == 0


async def test_there_is_a_limit_per_user(
    client: httpx.AsyncClient, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_UNFINISHED", 1)
    assert (await client.post(PATH, json=body)).status_code == 201
    second = await client.post(PATH, json={**body, "output_name": "b"})
    assert (second.status_code, second.json()["code"]) == (429, "TooManyTasks")
    [waiting] = (await client.get(PATH)).json()["items"]
    assert (await client.post(f"{PATH}/{waiting['id']}/stop")).json()["status"] == "STOPPED"
    assert (await client.post(PATH, json={**body, "output_name": "b"})).status_code == 201
    again = await client.post(f"{PATH}/{waiting['id']}/restart")
    assert (again.status_code, again.json()["code"]) == (429, "TooManyTasks")


async def test_a_clone_knows_its_parent(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    first = (await client.post(PATH, json=body)).json()
    clone = {**body, "output_name": "clone", "parent_id": first["id"]}
    assert (await client.post(PATH, json=clone)).json()["parent_id"] == first["id"]
    orphan = await client.post(PATH, json={**clone, "parent_id": str(new_id())})
    assert orphan.status_code == 404


async def test_compatibility_says_the_same_before(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    body: dict[str, Any],
) -> None:
    query = {"model_id": body["model_id"], "dataset_id": body["dataset_id"]}
    found = (await client.get(f"{PATH}/compatibility", params=query)).json()
    assert found == {"ok": True, "problems": []}
    async with transaction(sessions) as session:
        few = await add_dataset(session, settings, administrator.id, rows=3)
        plain = await add_model(session, settings, has_chat_template=False)
    query = {"model_id": str(plain.id), "dataset_id": str(few.id)}
    found = (await client.get(f"{PATH}/compatibility", params=query)).json()
    assert not found["ok"]
    assert [(p["code"], p["blocking"]) for p in found["problems"]] == [
        ("no_chat_template", True),
        ("few_rows", False),
    ]


async def test_that_most_rows_lose_their_answers_is_said_before_the_start(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    async def found(max_length: int) -> dict[str, Any]:
        plan = {"model_id": body["model_id"], "dataset_id": body["dataset_id"]}
        asked = {**plan, "hyperparameters": {"max_length": max_length}}
        answer = await client.post(f"{PATH}/estimate", json=asked)
        return {each["code"]: each["params"] for each in answer.json()["warnings"]}

    told = (await found(16))["most_rows_will_be_cut"]
    assert told["max_length"] == 16
    assert 50 < told["percent"] <= 100
    assert "most_rows_will_be_cut" not in await found(64)


async def test_an_estimate_before_and_a_recommendation(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    plan = {k: body[k] for k in ("model_id", "dataset_id", "hyperparameters")}
    estimate = (await client.post(f"{PATH}/estimate", json=plan)).json()
    parts = sum(part["size_bytes"] for part in estimate["memory_parts"])
    assert estimate["memory_bytes"] == parts > 0
    assert estimate["fit"] == "fits"
    assert 0 < estimate["time_low_s"] < estimate["time_high_s"]
    assert (estimate["num_rows"], estimate["device"]) == (40, "cpu")
    more = {**plan, "hyperparameters": {**plan["hyperparameters"], "epochs": 4}}
    larger = (await client.post(f"{PATH}/estimate", json=more)).json()
    # Two rows are held out, and batches run across epochs: ⌈38 × epochs / 8⌉.
    assert (estimate["total_steps"], larger["total_steps"]) == (10, 19)
    ask = {"model_id": body["model_id"], "dataset_id": body["dataset_id"]}
    simple = (await client.post(f"{PATH}/recommend", json={**ask, "complexity": "simple"})).json()
    hard = (await client.post(f"{PATH}/recommend", json={**ask, "complexity": "complex"})).json()
    assert simple["method"] == "lora"
    assert simple["hyperparameters"]["lora_rank"] < hard["hyperparameters"]["lora_rank"]
    assert "learning_rate" in simple["reasons"]
    missing = await client.post(f"{PATH}/estimate", json={**plan, "model_id": str(new_id())})
    assert missing.json()["errors"][0]["pointer"] == "/model_id"


async def test_nothing_is_left_when_writing_fails(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(service, "view_of", fail)
    key = {"Idempotency-Key": "k"}
    assert (await client.post(PATH, json=body, headers=key)).status_code == 503
    monkeypatch.undo()
    async with sessions() as session:
        for table in (TaskRow, JobRow, DatasetUseRow):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
    assert (await client.post(PATH, json=body, headers=key)).status_code == 201
