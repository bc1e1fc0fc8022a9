"""The playground with the real worker and a tiny model: the whole way from HTTP to tokens."""

import signal

import httpx
import psutil
from fastapi import FastAPI

from backend.database import SessionFactory, transaction
from backend.models.schemas import ModelSource, ModelStatus
from backend.models.tables import ModelRow
from backend.settings import Settings
from tests.backend.serving.test_playground import parse, until
from tests.tiny_model import build_tiny_model

GENERATE = "/api/v1/playground/generate"


async def test_real_answers(
    live_client: httpx.AsyncClient, sessions: SessionFactory, settings: Settings, app: FastAPI
) -> None:
    build_tiny_model(settings.models_dir / "starter")
    async with transaction(sessions) as session:
        row = ModelRow(
            name="tiny", source=ModelSource.STARTER, reference="", status=ModelStatus.READY
        )
        session.add(row)
    body = {
        "model_id": str(row.id),
        "messages": [{"role": "user", "content": "Say something."}],
        "max_new_tokens": 8,
        "temperature": 1.0,
        "seed": 7,
    }
    first = parse((await live_client.post(GENERATE, json=body, timeout=120)).text)
    assert first[-1][0] == "done", first
    assert first[-1][1]["completion_tokens"] <= 8
    assert first[-1][1]["prompt_tokens"] > 0
    status = (await live_client.get("/api/v1/playground/status")).json()
    assert (status["state"], status["loaded"]) == ("ready", ["tiny"])
    again = parse((await live_client.post(GENERATE, json=body)).text)
    assert again[:-1] == first[:-1], "the same seed gives the same answer"

    longer = {**body, "max_new_tokens": 8192}
    async with live_client.stream("POST", GENERATE, json=longer) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: token"):
                break
    await until(lambda: app.state.playground._running == 0)

    process = psutil.Process(app.state.playground._worker._process.pid)
    process.send_signal(signal.SIGKILL)
    recovered = parse((await live_client.post(GENERATE, json=body, timeout=120)).text)
    assert recovered[-1][0] == "done" or recovered[-1][1]["code"] == "worker_crashed"
