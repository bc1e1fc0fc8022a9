"""The live state of a task over a real socket."""

import httpx

from backend.database import SessionFactory, transaction
from backend.jobs.schemas import JobStatus
from backend.tasks.tables import TaskRow
from tests.backend.tasks.conftest import MakeRun, Run
from tests.backend.tasks.sse_reader import opened


def _path(run: Run) -> str:
    return f"/api/v1/tasks/{run.id}/events/stream"


async def test_state_points_and_the_end(live_client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    async with opened(live_client, _path(run)) as reader:
        (task,) = await reader.take(1, "task")
        assert (task.data["status"], task.data["id"]) == ("RUNNING", str(run.id))
        with run.events() as events:
            events.write("metrics", step=1, epoch=0.1, values={"loss": 2.0})
            (point,) = await reader.take(1, "metrics")
            assert point.data["values"] == {"loss": 2.0}
            assert (point.data["step"], point.data["epoch"]) == (1, 0.1)
            events.write("notice", level="info", code="packed", message="Packed.")
            events.write("samples", step=1, items=[])
            events.write(
                "checkpoint", step=1, name="step-1", size_bytes=1, manifest_sha256="0" * 64
            )
            told = await reader.until("checkpoint")
            assert [e.type for e in told] == ["notice", "samples", "checkpoint"]
        await run.set(progress=0.5, step=7)
        (task,) = await reader.take(1, "task")
        assert (task.data["progress"], task.data["step"]) == (0.5, 7)
        await run.move(JobStatus.COMPLETED)
        last = await reader.rest()
    assert [event.type for event in last] == ["task", "end", "bye"]
    assert (last[0].data["status"], last[0].data["progress"]) == ("COMPLETED", 1.0)


async def test_points_come_once_across_connections(
    live_client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    steps = []
    with run.events() as events:
        for step in range(1, 11):
            events.write("metrics", step=step, values={"loss": 1.0})
        page = (await live_client.get(f"/api/v1/tasks/{run.id}/metrics")).json()
        steps += [p["step"] for p in page["series"]["loss"]]
        for step in range(11, 16):
            events.write("metrics", step=step, values={"loss": 1.0})
        async with opened(live_client, _path(run), after=page["next"]) as reader:
            points = await reader.take(3, "metrics")
        async with opened(live_client, _path(run), points[-1].id) as reader:
            points += await reader.take(2, "metrics")
    assert steps + [p.data["step"] for p in points] == list(range(1, 16))


async def test_a_deleted_task_ends_its_stream(
    live_client: httpx.AsyncClient, make_run: MakeRun, sessions: SessionFactory
) -> None:
    run = await make_run()
    async with opened(live_client, _path(run)) as reader:
        await reader.take(1, "task")
        async with transaction(sessions) as session:
            await session.delete(await session.get_one(TaskRow, run.id))
        last = await reader.rest()
    assert [(event.type, event.data) for event in last] == [
        ("end", {"status": None}),
        ("bye", {"reason": "end"}),
    ]


async def test_unknown_tasks_have_no_stream(
    live_client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    path = _path(run).replace(str(run.id), str(run.job_id))
    assert (await live_client.get(path)).status_code == 404
    later = await live_client.get(_path(run), params={"after": "2-0"})
    assert (later.status_code, later.json()["code"]) == (404, "NoSuchAttempt")
