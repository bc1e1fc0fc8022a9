"""The playground against a worker that obeys, fails, crashes and hangs on request."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fastapi import FastAPI

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.models.schemas import ModelSource, ModelStatus
from backend.models.tables import ModelRow
from backend.processes import serve_process
from backend.serving.playground import Playground
from backend.settings import Settings
from tests.conftest import SignIn

GENERATE = "/api/v1/playground/generate"
Events = list[tuple[str, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _fake_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_process, "MODULE", "tests.fakes.serve_worker")


@pytest.fixture
async def model(sessions: SessionFactory) -> ModelRow:
    """A base model that is ready."""
    async with transaction(sessions) as session:
        row = ModelRow(
            name="tiny/base",
            source=ModelSource.STARTER,
            reference="",
            status=ModelStatus.READY,
        )
        session.add(row)
        await session.flush()
        await session.refresh(row)
        return row


def parse(text: str) -> Events:
    import json

    found: Events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def ask(client: httpx.AsyncClient, model: ModelRow, order: str, **more: Any) -> Events:
    body = {
        "model_id": str(model.id),
        "messages": [{"role": "user", "content": order}],
        **more,
    }
    answer = await client.post(GENERATE, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    return parse(answer.text)


def worker_of(app: FastAPI) -> psutil.Process:
    process = app.state.playground._worker._process
    return psutil.Process(process.pid)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


async def test_an_answer_streams(
    client: httpx.AsyncClient, model: ModelRow, settings: Settings, app: FastAPI
) -> None:
    assert (await client.get("/api/v1/playground/status")).json()["state"] == "stopped"
    events = await ask(client, model, "where")
    assert [kind for kind, _ in events] == ["token"] * 4 + ["done"]
    assert "".join(data["text"] for _, data in events[1:-1]) == "Hello 世界"
    assert str(settings.models_dir / "starter") in events[0][1]["text"]
    assert events[-1][1]["finish_reason"] == "stop"
    status = (await client.get("/api/v1/playground/status")).json()
    assert status["state"] == "ready"
    assert status["loaded"] == ["tiny/base"]
    assert status["memory_bytes"] > 1_000_000
    first = worker_of(app)
    await ask(client, model, "again")
    assert worker_of(app) == first, "one worker answers all"
    environment = first.environ()
    assert not [name for name in environment if name.startswith("EASYTUNE_")]


async def test_the_worker_may_fail(client: httpx.AsyncClient, model: ModelRow) -> None:
    events = await ask(client, model, "fail")
    assert events == [
        ("error", {"code": "out_of_memory", "message": "Too large.", "hint": "Take less."})
    ]


@pytest.mark.parametrize("order", ["crash", "leave"])
async def test_a_broken_answer_is_said_and_the_next_works(
    client: httpx.AsyncClient, model: ModelRow, order: str
) -> None:
    events = await ask(client, model, order)
    kind, error = events[-1]
    assert (kind, error["code"]) == ("error", "worker_crashed")
    assert "Segmentation" not in error["message"]
    assert (await ask(client, model, "again"))[-1][0] == "done"


async def test_a_worker_killed_while_idle_is_replaced(
    client: httpx.AsyncClient, model: ModelRow, app: FastAPI
) -> None:
    await ask(client, model, "hello")
    worker_of(app).send_signal(signal.SIGKILL)
    await until(lambda: app.state.playground._worker.ended)
    assert (await client.get("/api/v1/playground/status")).json()["state"] == "stopped"
    assert (await ask(client, model, "again"))[-1][0] == "done"


async def test_a_worker_that_does_not_start(
    client: httpx.AsyncClient, model: ModelRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_process, "MODULE", "tests.fakes.no_such_module")
    events = await ask(client, model, "hello")
    assert [(kind, data["code"]) for kind, data in events] == [("error", "worker_crashed")]


async def test_a_caller_who_leaves_cancels(
    live_client: httpx.AsyncClient, model: ModelRow, settings: Settings, app: FastAPI
) -> None:
    body = {
        "model_id": str(model.id),
        "messages": [{"role": "user", "content": "slow"}],
        "max_new_tokens": 8192,
    }
    async with live_client.stream("POST", GENERATE, json=body) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: token"):
                break
    await until((settings.sockets_dir / "cancelled").exists)
    await until(lambda: app.state.playground._running == 0)


async def first_token(stream: AsyncIterator[Any]) -> None:
    assert (await anext(stream)).type == "token"


async def test_a_training_run_gets_the_memory_at_once(
    live_client: httpx.AsyncClient, model: ModelRow, app: FastAPI
) -> None:
    playground: Playground = app.state.playground
    asking = asyncio.create_task(ask(live_client, model, "slow", max_new_tokens=8192))
    await until(lambda: playground._running == 1 and playground._worker is not None)
    await until(lambda: playground._worker is not None and playground._worker.ready)
    process = worker_of(app)
    await playground.make_room()
    assert not process.is_running()
    kind, error = (await asking)[-1]
    assert (kind, error["code"]) == ("error", "training_started")
    assert (await playground.status()).state == "stopped"
    assert (await ask(live_client, model, "again"))[-1][0] == "done"


async def test_making_room_while_it_starts(
    live_client: httpx.AsyncClient, model: ModelRow, app: FastAPI
) -> None:
    playground: Playground = app.state.playground
    asking = asyncio.create_task(ask(live_client, model, "hello"))
    await until(lambda: playground._worker is not None)
    await playground.make_room()
    kind, data = (await asking)[-1]
    assert kind == "done" or data["code"] == "training_started"


async def test_an_idle_worker_is_ended(
    settings: Settings, model: ModelRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training_engine.contract.serving import GenerateRequest

    playground = Playground(settings.sockets_dir, idle_s=0.2)
    await playground.start()
    asked = GenerateRequest.model_validate(
        {"model_path": "/x", "messages": [{"role": "user", "content": "hi"}]}
    )
    lines = [line async for line in playground.generate(asked, "x")]
    assert lines[-1].type == "done"  # type: ignore[union-attr]
    process = playground._worker._process  # type: ignore[union-attr]
    assert process is not None
    await until(lambda: playground._worker is None and process.poll() is not None)
    await playground.close()
    assert not list(settings.sockets_dir.glob("*.sock"))


async def test_what_a_killed_platform_left_is_ended(settings: Settings) -> None:
    first = Playground(settings.sockets_dir)
    await first.start()
    left = await first._ready_worker()
    assert left._process is not None
    second = Playground(settings.sockets_dir)  # as after kill -9
    await second.start()
    assert left.ended
    await second.close()
    await first.close()


async def test_a_long_data_folder_has_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / "sockets"
    playground = Playground(deep)
    await playground.start()
    found = await playground._ready_worker()
    assert len(os.fsencode(found._socket)) <= serve_process.MAX_SOCKET_PATH
    private = found._socket.parent
    assert private.stat().st_mode & 0o777 == 0o700
    await playground.close()
    assert not private.exists()


async def test_too_many_at_once(
    client: httpx.AsyncClient, model: ModelRow, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.state.playground._running = 4
    body = {"model_id": str(model.id), "messages": [{"role": "user", "content": "x"}]}
    answer = await client.post(GENERATE, json=body)
    assert (answer.status_code, answer.json()["code"]) == (429, "PlaygroundBusy")
    app.state.playground._running = 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "OneTarget"),
        ({"model_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, 404, "ModelNotFound"),
        ({"task_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, 404, "TaskNotFound"),
        ({"path": "/etc/passwd"}, 422, "InvalidRequest"),
        ({"model_id": "../../etc"}, 422, "InvalidRequest"),
    ],
)
async def test_bad_requests(
    client: httpx.AsyncClient, body: dict[str, str], status: int, code: str
) -> None:
    messages = [{"role": "user", "content": "x"}]
    answer = await client.post(GENERATE, json={**body, "messages": messages})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_viewers_do_not_run_models(sign_in: SignIn, model: ModelRow) -> None:
    viewer = await sign_in("vera", Role.VIEWER)
    body = {"model_id": str(model.id), "messages": [{"role": "user", "content": "x"}]}
    assert (await viewer.post(GENERATE, json=body)).status_code == 403


async def test_a_model_that_is_not_ready(
    client: httpx.AsyncClient, model: ModelRow, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as session:
        row = await session.get_one(ModelRow, model.id)
        row.status = ModelStatus.DOWNLOADING
    body = {"model_id": str(model.id), "messages": [{"role": "user", "content": "x"}]}
    answer = await client.post(GENERATE, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "ModelNotReady")
    assert (await client.get("/api/v1/playground/targets")).json() == []
