"""What a task shows and takes of the queue: priority, retries, whose fault, why it waits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.jobs import lease as leases
from backend.jobs.schemas import JobStatus
from backend.settings import Settings
from tests.backend.tasks.conftest import MakeRun
from tests.backend.tasks.sources import add_dataset, add_model
from tests.conftest import SignIn, make_user


async def test_a_new_task_is_queued_as_asked(
    client: httpx.AsyncClient, sessions: SessionFactory, settings: Settings, administrator: UserRow
) -> None:
    async with transaction(sessions) as session:
        model = await add_model(session, settings)
        dataset = await add_dataset(session, settings, administrator.id)
    body: dict[str, Any] = {
        "name": "urgent",
        "model_id": str(model.id),
        "dataset_id": str(dataset.id),
        "output_name": "urgent",
        "priority": "high",
        "automatic_retries": 3,
    }
    answer = await client.post("/api/v1/tasks", json=body)
    assert answer.status_code == 201, answer.text
    task = answer.json()
    assert (task["priority"], task["automatic_retries"]) == ("high", 3)
    nothing = {"infrastructure": 0, "own": 0, "internal": 0}
    assert (task["retries"], task["retry_at"], task["failures"]) == (0, None, nothing)
    assert (task["recovered"], task["stalled_since"]) == (False, None)
    plain = {k: v for k, v in body.items() if k not in {"priority", "automatic_retries"}}
    task = (await client.post("/api/v1/tasks", json={**plain, "output_name": "plain"})).json()
    assert (task["priority"], task["automatic_retries"]) == ("normal", 0)


@pytest.mark.parametrize(
    "change",
    [
        {"priority": "urgent"},
        {"priority": 1},
        {"automatic_retries": 6},
        {"automatic_retries": -1},
        {"automatic_retries": "many"},
        {"retries": 0},
    ],
)
async def test_rubbish_is_refused(
    client: httpx.AsyncClient, make_run: MakeRun, change: dict[str, Any]
) -> None:
    run = await make_run(JobStatus.PENDING)
    answer = await client.patch(f"/api/v1/tasks/{run.id}", json=change)
    assert answer.status_code == 422


async def test_a_priority_changes_only_while_it_waits(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    first, second = await make_run(JobStatus.PENDING), await make_run(JobStatus.PENDING)
    path = f"/api/v1/tasks/{second.id}"
    task = (await client.patch(path, json={"priority": "high"})).json()
    assert (task["priority"], task["queue"]["position"]) == ("high", 1)
    other = (await client.get(f"/api/v1/tasks/{first.id}")).json()
    assert other["queue"]["position"] == 2
    await second.move(JobStatus.PREPARING)
    answer = await client.patch(path, json={"priority": "low", "name": "not kept"})
    assert (answer.status_code, answer.json()["code"]) == (409, "NotWaiting")
    task = (await client.get(path)).json()
    assert (task["priority"], task["name"]) == ("high", "support bot")
    answer = await client.patch(path, json={"priority": "high", "automatic_retries": 2})
    assert (answer.status_code, answer.json()["automatic_retries"]) == (200, 2)


async def test_only_its_owner_moves_it_forward(
    make_run: MakeRun, sign_in: SignIn, sessions: SessionFactory
) -> None:
    owner = await make_user(sessions, "ann", Role.MEMBER)
    run = await make_run(JobStatus.PENDING, owner=owner)
    other = await sign_in("ben", Role.MEMBER)
    answer = await other.patch(f"/api/v1/tasks/{run.id}", json={"priority": "high"})
    assert answer.status_code in {403, 404}


async def test_users_share_and_are_told(
    client: httpx.AsyncClient, make_run: MakeRun, sessions: SessionFactory
) -> None:
    await make_run(JobStatus.RUNNING)
    mine = [await make_run(JobStatus.PENDING) for _ in range(3)]
    theirs = await make_run(JobStatus.PENDING, owner=await make_user(sessions, "ann", Role.MEMBER))
    async with transaction(sessions) as session:
        await leases.acquire(session, "somebody", slots={"training": 1})
    tasks = (await client.get("/api/v1/tasks?status=PENDING")).json()["items"]
    queue = {task["id"]: task["queue"] for task in tasks}
    busy = {"running": 1, "slots": 1}
    assert queue[str(theirs.id)] == {"position": 1, "reason": "slot_busy", "params": busy}
    assert [queue[str(run.id)]["position"] for run in mine] == [2, 3, 4]
    # `started_at` is set by the claim, which these have not seen: what lives counts.
    shared = {"reason": "fair_share", "params": {**busy, "started": 1}}
    assert queue[str(mine[0].id)] == {"position": 2, **shared}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "host_rebooted", "params": {}}, "infrastructure"),
        ({"code": "engine_crashed", "params": {"signal": "SIGKILL"}}, "infrastructure"),
        ({"code": "out_of_memory", "params": {}}, "own"),
        ({"code": "internal", "params": {}}, "internal"),
    ],
)
async def test_an_error_says_whose_fault_it_is(
    client: httpx.AsyncClient, make_run: MakeRun, error: dict[str, Any], kind: str
) -> None:
    run = await make_run(JobStatus.FAILED)
    words = {"message": "It failed.", "hint": "Do something."}
    await run.set(error={**error, **words}, failures={kind: 2})
    task = (await client.get(f"/api/v1/tasks/{run.id}")).json()
    assert task["error"]["kind"] == kind
    assert task["failures"][kind] == 2


async def test_a_retry_that_waits_can_be_seen_and_withdrawn(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run(JobStatus.PENDING)
    params = {"code": "engine_hung", "retry": 1, "retries": 2}
    at = datetime.now(UTC) + timedelta(minutes=2)
    wait = {"reason": "retry_wait", "params": params}
    await run.set(retry_at=at, wait=wait, retries=1, automatic_retries=2, recovered=True)
    path = f"/api/v1/tasks/{run.id}"
    task = (await client.get(path)).json()
    assert (task["retries"], task["recovered"]) == (1, True)
    assert datetime.fromisoformat(task["retry_at"]) == at
    assert task["queue"] == {"position": 1, **wait}
    task = (await client.post(f"{path}/stop")).json()
    assert (task["status"], task["retry_at"], task["queue"]) == ("STOPPED", None, None)
    assert (await client.delete(path)).status_code == 204
