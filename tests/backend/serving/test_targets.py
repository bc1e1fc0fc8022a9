"""Which models can be asked, by whom, and from which files."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.ids import new_id
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.models.schemas import ModelSource, ModelStatus
from backend.models.tables import ModelRow
from backend.serving import targets
from backend.serving.targets import BaseModelGone, NotTuned
from backend.settings import Settings
from backend.tasks.queries import TaskNotFound
from backend.tasks.tables import TaskRow
from tests.conftest import SignIn, make_user

TARGETS = "/api/v1/playground/targets"


async def add_model(sessions: SessionFactory, architecture: str | None = None) -> UUID:
    async with transaction(sessions) as session:
        row = ModelRow(
            name="tiny/base",
            source=ModelSource.STARTER,
            reference="",
            status=ModelStatus.READY,
            architecture=architecture,
        )
        session.add(row)
        await session.flush()
        return row.id


async def add_task(
    sessions: SessionFactory,
    settings: Settings,
    owner: UserRow,
    model_id: UUID,
    *,
    status: JobStatus = JobStatus.COMPLETED,
    objective: str = "sft",
    files: tuple[str, ...] = ("adapter_config.json",),
    records: Path | None = None,
) -> tuple[UUID, Path]:
    """A task as its run left it; its id and output folder."""
    job_id, task_id = new_id(), new_id()
    spec: dict[str, Any] = {"dataset": {"path": str(records)}} if records else {}
    async with transaction(sessions) as session:
        session.add(
            JobRow(
                id=job_id,
                kind="train",
                status=status,
                attempt=2,
                spec=spec,
                slot=Slot.TRAINING,
                subject_id=task_id,
            )
        )
        await session.flush()
        session.add(
            TaskRow(
                id=task_id,
                owner_id=owner.id,
                job_id=job_id,
                name="My bot",
                description="",
                intent="chat",
                objective=objective,
                method="lora",
                device="auto",
                hyperparameters={},
                output_name=f"bot-{owner.username}",
                model_id=model_id,
                model_name="tiny/base",
                dataset_id=new_id(),
                dataset_name="talks",
            )
        )
    output = RunFolder.of(settings.runs_dir, job_id, 2).output_dir
    output.mkdir(parents=True)
    for name in files:
        (output / name).write_text("{}")
    return task_id, output


async def test_tuned_models_stand_beside_their_base(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    tmp_path: Path,
) -> None:
    records = tmp_path / "records.jsonl"
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    records.write_bytes(orjson.dumps({"messages": messages}) + b"\n")
    model_id = await add_model(sessions)
    task_id, output = await add_task(sessions, settings, administrator, model_id, records=records)
    base, tuned = (await client.get(TARGETS)).json()
    assert (base["kind"], base["id"], base["name"]) == ("base", str(model_id), "tiny/base")
    assert base["purpose"] == "chat"
    assert tuned == {
        "kind": "tuned",
        "id": str(task_id),
        "name": "bot-admin",
        "purpose": "chat",
        "base_id": str(model_id),
        "base_name": "tiny/base",
        "system_prompt": "Be kind.",
    }
    async with transaction(sessions) as session:
        served = await targets.resolve(session, administrator, settings, None, task_id)
    assert served.path == str(settings.models_dir / "starter")
    assert served.adapter_path == str(output)


async def test_a_fully_tuned_model_needs_no_base(
    sessions: SessionFactory, settings: Settings, administrator: UserRow
) -> None:
    task_id, output = await add_task(
        sessions, settings, administrator, new_id(), files=("model.safetensors",)
    )
    async with transaction(sessions) as session:
        served = await targets.resolve(session, administrator, settings, None, task_id)
    assert (served.path, served.adapter_path) == (str(output), None)


async def test_an_adapter_without_its_base_is_said(
    sessions: SessionFactory, settings: Settings, administrator: UserRow
) -> None:
    task_id, _ = await add_task(sessions, settings, administrator, new_id())
    async with transaction(sessions) as session:
        with pytest.raises(BaseModelGone, match=r"tiny/base was deleted"):
            await targets.resolve(session, administrator, settings, None, task_id)


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.FAILED, JobStatus.STOPPED])
async def test_only_completed_tasks_can_be_asked(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    status: JobStatus,
) -> None:
    task_id, _ = await add_task(sessions, settings, administrator, new_id(), status=status)
    assert (await client.get(TARGETS)).json() == []
    async with transaction(sessions) as session:
        with pytest.raises(NotTuned):
            await targets.resolve(session, administrator, settings, None, task_id)


async def test_others_models_do_not_exist(
    sign_in: SignIn, sessions: SessionFactory, settings: Settings
) -> None:
    alice = await make_user(sessions, "alice", Role.MEMBER)
    task_id, _ = await add_task(sessions, settings, alice, await add_model(sessions))
    bob = await sign_in("bob", Role.MEMBER)
    assert [target["kind"] for target in (await bob.get(TARGETS)).json()] == ["base"]
    body = {"task_id": str(task_id), "messages": [{"role": "user", "content": "x"}]}
    answer = await bob.post("/api/v1/playground/generate", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, TaskNotFound.code())


@pytest.mark.long
@pytest.mark.parametrize(
    ("objective", "purpose"),
    [
        ("dpo", "chat"),
        ("pretrain", "chat"),
        ("seq2seq", "seq2seq"),
        ("classify", "classify"),
        ("reward", "score"),
    ],
)
async def test_what_a_tuned_model_is_for(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    objective: str,
    purpose: str,
) -> None:
    model_id = await add_model(sessions, "BertModel")
    await add_task(sessions, settings, administrator, model_id, objective=objective)
    (tuned,) = (await client.get(TARGETS)).json()  # the encoder alone answers nothing
    assert (tuned["kind"], tuned["purpose"]) == ("tuned", purpose)
    assert (tuned["base_id"], tuned["base_name"]) == (str(model_id), "tiny/base")


@pytest.mark.long
@pytest.mark.parametrize(
    ("architecture", "purpose"),
    [
        ("LlamaForCausalLM", "chat"),
        ("T5ForConditionalGeneration", "seq2seq"),
        ("BertForSequenceClassification", "classify"),
        ("T5ForSequenceClassification", "classify"),
    ],
)
async def test_what_a_base_model_is_for(
    client: httpx.AsyncClient, sessions: SessionFactory, architecture: str, purpose: str
) -> None:
    await add_model(sessions, architecture)
    assert [target["purpose"] for target in (await client.get(TARGETS)).json()] == [purpose]
