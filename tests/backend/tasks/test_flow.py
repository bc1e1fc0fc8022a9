"""A task from the click to its end, through the real supervisor and real processes.

The engine is the fake one: it trains nothing, but lives and dies like the real one.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.processes.identity import with_nonce
from backend.runner.executors.local import nonce_of
from backend.runner.kinds import Kind
from backend.runner.supervisor import Supervisor
from backend.runner.timeouts import Timeouts
from backend.settings import Settings
from backend.tasks import service
from backend.tasks.tables import TaskRow
from tests.backend.tasks.sources import add_dataset, add_model
from tests.backend.tasks.sse_reader import opened

PATH = "/api/v1/tasks"
FAKE = {"train": Kind("tests.fakes.engine", "backend.tasks.outcome:apply", resumes=True)}
QUICK = Timeouts(tick_live_s=0.05, tick_idle_s=0.2, orphan_s=3.0)
ENDED = {"COMPLETED", "FAILED", "STOPPED"}
PATIENCE_S = 120.0


class Flow:
    """What the tests do with a task, as the browser does it."""

    def __init__(self, client: httpx.AsyncClient, sessions: SessionFactory, body: dict) -> None:
        self.client, self._sessions, self.body = client, sessions, body
        self.fake: dict[str, Any] = {}

    async def create(self, **fake: Any) -> str:
        """A task whose engine will behave like `fake`; returns its path."""
        self.fake = fake
        task = (await self.client.post(PATH, json=self.body)).json()
        return f"{PATH}/{task['id']}"

    async def behave(self, path: str, **fake: Any) -> None:
        """Tell the engine of the next attempt how to behave."""
        async with transaction(self._sessions) as session:
            row = await session.get_one(TaskRow, UUID(path.rpartition("/")[2]))
            job = await jobs.get(session, row.job_id)
            job.spec = {**job.spec, "fake": fake}

    async def get(self, path: str) -> dict[str, Any]:
        """The task now."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def until(self, path: str, *states: str, step: int = 0) -> dict[str, Any]:
        """The task as soon as it is in one of `states` and that far."""
        deadline = time.monotonic() + PATIENCE_S
        while (task := await self.get(path))["status"] not in states or task["step"] < step:
            assert time.monotonic() < deadline, task
            await asyncio.sleep(0.03)
        return task

    async def post(self, path: str, action: str, **body: Any) -> dict[str, Any]:
        """Do something to the task."""
        answer = await self.client.post(f"{path}/{action}", json=body or None)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def flow(
    live_client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Flow]:
    """A client, data and model; ends what is left of the engines."""
    async with transaction(sessions) as session:
        data = await add_dataset(session, settings, administrator.id)
        model = await add_model(session, settings)
    body = {
        "name": "Lamp bot",
        "model_id": str(model.id),
        "dataset_id": str(data.id),
        "output_name": "lamp-bot",
    }
    flow = Flow(live_client, sessions, body)
    written = service.spec_of
    monkeypatch.setattr(service, "spec_of", lambda *a: {**written(*a), "fake": flow.fake})
    yield flow
    for folder in settings.runs_dir.glob("*/*"):
        for process in with_nonce(nonce_of(RunFolder(folder, 1))):
            process.kill()


@pytest.fixture
async def supervisor(settings: Settings, sessions: SessionFactory) -> AsyncIterator[Supervisor]:
    """Runs the fake engine for every training."""
    supervisor = Supervisor(settings, sessions, kinds=FAKE, timeouts=QUICK)
    running = asyncio.create_task(supervisor.run())
    yield supervisor
    supervisor.stop()
    await running


async def test_it_runs_to_its_end_and_every_line_is_streamed_once(
    flow: Flow, supervisor: Supervisor
) -> None:
    path = await flow.create(steps=6)
    async with opened(flow.client, f"{path}/logs/stream") as log:
        async with opened(flow.client, f"{path}/events/stream") as events:
            told = await events.rest()
        lines = await log.until("end")
    task = await flow.get(path)
    assert (task["status"], task["progress"], task["step"]) == ("COMPLETED", 1.0, 6)
    assert task["has_artifact"]
    texts = [event.data["text"] for event in lines if event.type == "line"]
    assert [t for t in texts if t.startswith("step")] == [
        f"step {n}/6  loss {2 / n:.4f}" for n in range(1, 7)
    ]
    assert [e.data["step"] for e in told if e.type == "metrics"] == list(range(1, 7))
    states = [e.data["status"] for e in told if e.type == "task"]
    assert states[-1] == "COMPLETED"
    assert told[-2].data == {"status": "COMPLETED", "attempt": 1}
    series = (await flow.client.get(f"{path}/metrics")).json()["series"]
    assert len(series["loss"]) == 6
    assert (await flow.client.get(f"{path}/artifact")).status_code == 200


async def test_an_engine_killed_from_outside_fails_with_the_reason_and_resumes(
    flow: Flow, supervisor: Supervisor, settings: Settings
) -> None:
    path = await flow.create(steps=400, save_every=2, step_s=0.02)
    task = await flow.until(path, "RUNNING", step=5)
    (folder,) = settings.runs_dir.glob("*/1")
    engine = (RunFolder(folder, 1).identity() or {})["child_pid"]
    killed_at = time.monotonic()
    os.kill(engine, signal.SIGKILL)
    task = await flow.until(path, *ENDED)
    took_s = time.monotonic() - killed_at
    assert (task["status"], task["error"]["code"]) == ("FAILED", "engine_crashed")
    assert "SIGKILL" in task["error"]["message"]
    assert task["error"]["hint"]
    assert task["resumable"]
    assert took_s < 5
    log = (await flow.client.get(f"{path}/logs", params={"tail": True, "limit": 1})).json()
    assert task["error"]["log_line"] == log["items"][0]["id"]
    await flow.behave(path, steps=4)
    resumed = await flow.post(path, "resume")
    assert resumed["attempt"] == 2
    task = await flow.until(path, *ENDED)
    assert (task["status"], task["attempt"], task["error"]) == ("COMPLETED", 2, None)
    spec = RunFolder(folder.with_name("2"), 2).spec_file.read_text()
    assert f"{folder}/checkpoints/step-" in spec
    events = (await flow.client.get(f"{path}/events")).json()
    moves = [e["code"] for e in events if e["type"] == "transition"]
    assert moves == [
        *("PENDING", "PREPARING", "RUNNING", "FAILED"),
        *("PENDING", "PREPARING", "RUNNING", "COMPLETED"),
    ]


async def test_stop_saves_and_restart_begins_anew(flow: Flow, supervisor: Supervisor) -> None:
    path = await flow.create(steps=400, step_s=0.02, save_every=1000)
    await flow.until(path, "RUNNING", step=2)
    assert (await flow.post(path, "stop", save=True))["status"] == "STOPPING"
    task = await flow.until(path, *ENDED)
    assert (task["status"], task["resumable"]) == ("STOPPED", True)
    (checkpoint,) = (await flow.client.get(f"{path}/checkpoints")).json()
    assert checkpoint["exists"]
    late = await flow.post(path, "stop")
    assert late["status"] == "STOPPED"
    await flow.behave(path, steps=2)
    assert (await flow.post(path, "restart"))["attempt"] == 2
    task = await flow.until(path, "COMPLETED")
    assert task["step"] == 2
    curve = (await flow.client.get(f"{path}/metrics")).json()
    assert [point["step"] for point in curve["series"]["loss"]] == [1, 2]


async def test_the_second_task_waits_and_says_why(flow: Flow, supervisor: Supervisor) -> None:
    first = await flow.create(steps=400, step_s=0.02)
    await flow.until(first, "RUNNING")
    flow.body["output_name"] = "second"
    second = await flow.create(steps=2)
    task = await flow.get(second)
    params = {"running": 1, "slots": 1}
    assert task["queue"] == {"position": 1, "reason": "slot_busy", "params": params}
    await flow.post(first, "stop", save=False)
    assert (await flow.until(second, *ENDED))["status"] == "COMPLETED"


async def test_a_finished_run_makes_the_next_estimate_a_measured_one(
    flow: Flow, supervisor: Supervisor, sessions: SessionFactory
) -> None:
    path = await flow.create(steps=2)
    await flow.until(path, "COMPLETED")
    async with transaction(sessions) as session:
        row = await session.get_one(TaskRow, UUID(path.rpartition("/")[2]))
    assert row.measured is not None
    assert (row.measured["device"], row.measured["attempt"]) == ("cpu", 1)
    assert row.measured["duration_s"] > 0
