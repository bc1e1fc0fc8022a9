"""Every objective can be asked for; rows, model and settings that do not fit are told apart."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets.tables import DatasetRow
from backend.jobs.tables import JobRow
from backend.models.tables import ModelRow
from backend.settings import Settings
from backend.tasks.tables import TaskRow
from tests.backend.tasks.sources import add_dataset, add_model
from training_engine.contract.choices import RECORD_TYPES_OF, Objective
from training_engine.contract.spec import RunSpec

PATH = "/api/v1/tasks"
ARCHITECTURES = {
    Objective.SEQ2SEQ: "T5ForConditionalGeneration",
    Objective.CLASSIFY: "BertModel",
    Objective.REWARD: "BertForSequenceClassification",
}


@pytest.fixture
async def sources(
    sessions: SessionFactory, settings: Settings, administrator: UserRow
) -> tuple[DatasetRow, ModelRow]:
    async with transaction(sessions) as session:
        data = await add_dataset(session, settings, administrator.id)
        return data, await add_model(session, settings)


async def become(
    sessions: SessionFactory, sources: tuple[DatasetRow, ModelRow], **columns: Any
) -> None:
    """Change what the rows say: `record_type` of the data, everything else of the model."""
    async with transaction(sessions) as session:
        data = await session.get_one(DatasetRow, sources[0].id)
        model = await session.get_one(ModelRow, sources[1].id)
        for name, value in columns.items():
            setattr(data if name == "record_type" else model, name, value)


def body_of(sources: tuple[DatasetRow, ModelRow], **changes: Any) -> dict[str, Any]:
    data, model = sources
    fixed = {"name": "Run", "model_id": str(model.id), "dataset_id": str(data.id)}
    return {**fixed, "output_name": "result", **changes}


async def codes_of(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, str]:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 400, answer.text
    for error in answer.json()["errors"]:
        assert "{" not in error["message"]
        assert error["message"].endswith(".")
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


@pytest.mark.long
@pytest.mark.parametrize("objective", list(Objective))
async def test_every_objective_can_be_queued(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    sources: tuple[DatasetRow, ModelRow],
    objective: Objective,
) -> None:
    record_type = min(RECORD_TYPES_OF[objective])
    architecture = ARCHITECTURES.get(objective, "LlamaForCausalLM")
    await become(sessions, sources, record_type=record_type, architecture=architecture)
    answer = await client.post(PATH, json=body_of(sources, objective=objective))
    assert answer.status_code == 201, answer.text
    async with sessions() as session:
        job = await session.scalar(select(JobRow))
        assert job is not None
        spec = RunSpec.model_validate({**job.spec, "run_id": str(job.id)})
    assert (spec.objective, spec.dataset.record_type) == (objective, record_type)
    listed = (await client.get(f"/api/v1/datasets/{sources[0].id}")).json()
    assert objective in listed["objectives"]
    model = (await client.get(f"/api/v1/models/{sources[1].id}")).json()
    assert objective in model["objectives"]


async def test_rows_say_what_they_are_for(
    client: httpx.AsyncClient, sessions: SessionFactory, sources: tuple[DatasetRow, ModelRow]
) -> None:
    await become(sessions, sources, record_type="preference")
    answer = await client.post(PATH, json=body_of(sources))
    [error] = answer.json()["errors"]
    assert error["code"] == "record_type_mismatch"
    assert error["params"]["fitting"].startswith("dpo or ipo or ")
    listed = (await client.get(f"/api/v1/datasets/{sources[0].id}")).json()
    assert listed["objectives"][0] == "dpo"


@pytest.mark.parametrize(
    ("architecture", "objective", "record_type", "code"),
    [
        ("BertModel", "sft", "conversational", "model_continues_no_text"),
        ("LlamaForCausalLM", "seq2seq", "conversational", "model_is_no_encoder_decoder"),
        ("T5ForConditionalGeneration", "classify", "classification", "model_scores_no_text"),
        ("CLIPModel", "classify", "classification", "model_not_trainable"),
    ],
)
async def test_a_model_that_can_not_learn_this_is_refused(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    sources: tuple[DatasetRow, ModelRow],
    architecture: str,
    objective: str,
    record_type: str,
    code: str,
) -> None:
    await become(sessions, sources, record_type=record_type, architecture=architecture)
    assert await codes_of(client, body_of(sources, objective=objective)) == {"/model_id": code}


async def test_a_template_is_asked_for_only_where_conversations_are_written(
    client: httpx.AsyncClient, sessions: SessionFactory, sources: tuple[DatasetRow, ModelRow]
) -> None:
    await become(sessions, sources, record_type="preference", has_chat_template=False)
    body = body_of(sources, objective="dpo")
    assert await codes_of(client, body) == {"/model_id": "no_chat_template"}
    await become(sessions, sources, record_type="classification")
    answer = await client.post(PATH, json=body_of(sources, objective="classify"))
    assert answer.status_code == 201


async def test_settings_that_exclude_each_other_are_all_told(
    client: httpx.AsyncClient, sources: tuple[DatasetRow, ModelRow]
) -> None:
    body = body_of(
        sources,
        method="qlora",
        hyperparameters={"optimizer": "muon"},
        distributed={"strategy": "fsdp", "processes": 64},
    )
    assert await codes_of(client, body) == {
        "/hyperparameters/optimizer": "sharded_optimizer",
        "/distributed/strategy": "quantised_shards",
        "/distributed/processes": "too_many_processes",
    }
    answer = await client.post(PATH, json=body)
    assert "muon_on_adapters" in {error["code"] for error in answer.json()["errors"]}


async def test_several_processes_reach_the_spec_and_the_page(
    client: httpx.AsyncClient, sessions: SessionFactory, sources: tuple[DatasetRow, ModelRow]
) -> None:
    wanted = {"strategy": "ddp", "processes": 2}
    one = (await client.post(f"{PATH}/estimate", json=plan_of(sources))).json()
    two = (await client.post(f"{PATH}/estimate", json=plan_of(sources, distributed=wanted))).json()
    assert two["memory_bytes"] > one["memory_bytes"]
    task = (await client.post(PATH, json=body_of(sources, distributed=wanted))).json()
    assert task["distributed"] == wanted
    async with sessions() as session:
        job = await session.scalar(select(JobRow))
        assert job is not None
        assert job.spec["distributed"] == wanted


def plan_of(sources: tuple[DatasetRow, ModelRow], **changes: Any) -> dict[str, Any]:
    data, model = sources
    return {"model_id": str(model.id), "dataset_id": str(data.id), **changes}


async def test_what_was_measured_of_another_objective_tells_nothing(
    client: httpx.AsyncClient, sessions: SessionFactory, sources: tuple[DatasetRow, ModelRow]
) -> None:
    async def measured(shared: dict[str, Any]) -> bool:
        plan = plan_of(sources, distributed=shared)
        found = (await client.post(f"{PATH}/estimate", json=plan)).json()
        return "time_not_measured" not in {warning["code"] for warning in found["warnings"]}

    task = (await client.post(PATH, json=body_of(sources))).json()
    copies, slices = ({"strategy": each, "processes": 2} for each in ("ddp", "fsdp"))
    for change, asked, expected in (
        ({"objective": "dpo"}, {}, False),
        ({"objective": "sft", **copies}, {}, False),
        (copies, copies, True),
        (copies, slices, False),
        (slices, slices, True),
        ({"processes": 1}, {}, True),
    ):
        async with transaction(sessions) as session:
            row = await session.get_one(TaskRow, UUID(task["id"]))
            row.objective = str(change.get("objective", row.objective))
            shared = {"processes": 1, **change}
            row.measured = {"tokens_per_s": 9.0, "device": "cpu", **shared}
        assert await measured(asked) is expected


async def test_values_are_recommended_for_the_objective(
    client: httpx.AsyncClient, sessions: SessionFactory, sources: tuple[DatasetRow, ModelRow]
) -> None:
    answers = (await client.post(f"{PATH}/recommend", json=plan_of(sources))).json()
    await become(sessions, sources, record_type="preference")
    pairs = (await client.post(f"{PATH}/recommend", json=plan_of(sources, objective="dpo"))).json()
    rate = "learning_rate"
    assert pairs["hyperparameters"][rate] < answers["hyperparameters"][rate] / 5
    assert pairs["reasons"][rate] == "learning_rate_of_preferences"
    await become(sessions, sources, record_type="classification", architecture="BertModel")
    classes = plan_of(sources, objective="classify")
    whole = (await client.post(f"{PATH}/recommend", json=classes)).json()
    assert (whole["method"], whole["reasons"]["method"]) == (
        "full",
        "small_classifier_is_tuned_whole",
    )
