"""Classes and scores over HTTP: a worker that obeys on request, and the real one."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory
from backend.processes import serve_process
from backend.settings import Settings
from tests.backend.serving.test_targets import add_model, add_task
from tests.conftest import SignIn, make_user
from tests.tiny_model import build_tiny_tokenizer

CLASSIFY = "/api/v1/playground/classify"


@pytest.fixture
def fake_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_process, "MODULE", "tests.fakes.serve_worker")


@pytest.fixture
async def task(sessions: SessionFactory, settings: Settings, administrator: UserRow) -> str:
    """A completed task whose output folder is a whole model."""
    files = ("model.safetensors",)
    model_id = await add_model(sessions, "BertModel")
    found = await add_task(
        sessions, settings, administrator, model_id, objective="classify", files=files
    )
    return str(found[0])


async def test_classes_of_texts(
    client: httpx.AsyncClient, task: str, fake_worker: None, app: FastAPI
) -> None:
    answer = await client.post(CLASSIFY, json={"task_id": task, "texts": ["abc", "de"]})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["kind"], told["num_labels"]) == ("single_label", 2)
    assert [p["tokens"] for p in told["predictions"]] == [3, 2]
    assert told["predictions"][0]["labels"][0] == {"label": "long", "score": 0.75}
    assert app.state.playground._running == 0
    assert app.state.playground._idle is not None


@pytest.mark.parametrize(
    ("text", "code"), [("fail", "not_a_classifier"), ("crash", "worker_crashed")]
)
async def test_no_answer_is_a_problem_with_its_reason(
    client: httpx.AsyncClient, task: str, fake_worker: None, text: str, code: str
) -> None:
    answer = await client.post(CLASSIFY, json={"task_id": task, "texts": [text]})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "NoPrediction")
    assert problem["params"]["code"] == code
    assert problem["params"]["message"] in problem["detail"]
    again = await client.post(CLASSIFY, json={"task_id": task, "texts": ["fine"]})
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"texts": ["a"]}, 400, "OneTarget"),
        ({"task_id": "01890a5d-ac96-774b-bcce-b302099a8057", "texts": ["a"]}, 404, "TaskNotFound"),
        (
            {"model_id": "01890a5d-ac96-774b-bcce-b302099a8057", "texts": ["a"]},
            404,
            "ModelNotFound",
        ),
        ({"texts": ["a"] * 257}, 422, "InvalidRequest"),
        ({"texts": ["a"], "model_path": "/etc"}, 422, "InvalidRequest"),
    ],
)
async def test_bad_requests(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.post(CLASSIFY, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_texts_or_conversations(client: httpx.AsyncClient, task: str) -> None:
    both = {"texts": ["a"], "conversations": [[{"role": "user", "content": "x"}]]}
    for body in ({}, both):
        answer = await client.post(CLASSIFY, json={"task_id": task, **body})
        assert (answer.status_code, answer.json()["code"]) == (400, "TextsOrConversations")


async def test_whose_models(
    sign_in: SignIn, sessions: SessionFactory, settings: Settings, app: FastAPI
) -> None:
    alice = await make_user(sessions, "alice", Role.MEMBER)
    model_id = await add_model(sessions)
    task_id, _ = await add_task(sessions, settings, alice, model_id, objective="classify")
    bob, viewer = await sign_in("bob", Role.MEMBER), await sign_in("vera", Role.VIEWER)
    for body in ({"task_id": str(task_id)}, {"model_id": str(model_id)}):
        answer = await viewer.post(CLASSIFY, json={**body, "texts": ["a"]})
        assert answer.status_code in (403, 404), body
    answer = await bob.post(CLASSIFY, json={"task_id": str(task_id), "texts": ["a"]})
    assert (answer.status_code, answer.json()["code"]) == (404, "TaskNotFound")
    assert app.state.playground._worker is None


def build_classifier(folder: Path) -> None:
    """A tiny random classifier of two classes, as a run in full leaves it."""
    from transformers import BertConfig, BertForSequenceClassification

    names = {0: "bad", 1: "good"}
    config = BertConfig(
        vocab_size=260, pad_token_id=256, hidden_size=32, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=64,
        id2label=names, label2id={name: i for i, name in names.items()},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    build_tiny_tokenizer(folder)


async def test_the_real_worker(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
) -> None:
    model_id = await add_model(sessions, "BertModel")
    task_id, output = await add_task(
        sessions, settings, administrator, model_id, objective="classify", files=()
    )
    build_classifier(output)
    body = {"task_id": str(task_id), "texts": ["I like it", "x" * 100]}
    answer = await client.post(CLASSIFY, json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["predictions"]
    assert {each["label"] for each in first["labels"]} == {"bad", "good"}
    assert sum(each["score"] for each in first["labels"]) == pytest.approx(1, abs=0.01)
    assert (first["truncated"], second["truncated"], second["tokens"]) == (False, True, 64)
    status = (await client.get("/api/v1/playground/status")).json()
    assert status["loaded"] == ["bot-admin"]
    talk = {"task_id": str(task_id), "messages": [{"role": "user", "content": "Hi"}]}
    told = (await client.post("/api/v1/playground/generate", json=talk)).text
    assert "not_a_language_model" in told
