"""Lists send JSON again only while it is still right, and each user only what is theirs."""

from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import delete, text, update

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.jobs import service as jobs
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow, JobTransitionRow
from backend.tasks import queries
from backend.tasks.tables import TaskRow
from backend.tasks.view import views_of
from tests.backend.tasks.conftest import MakeRun
from tests.conftest import SignIn, cookie_of, make_user

LIST = "/api/v1/tasks"


async def shown(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(LIST, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    for item in items:
        alone = await client.get(f"{LIST}/{item['id']}")
        assert alone.json() == item
    return items


async def as_it_is(sessions: SessionFactory, ids: list[Any]) -> list[dict[str, Any]]:
    """What the tasks are, without anything that was kept."""
    async with transaction(sessions) as session:
        tasks = await views_of(session, await queries.find_many(session, ids))
    by_id = {str(task.id): task.model_dump(mode="json") for task in tasks}
    return [by_id[str(id_)] for id_ in ids]


async def test_every_change_is_seen_at_once(
    client: httpx.AsyncClient, make_run: MakeRun, sessions: SessionFactory, administrator: UserRow
) -> None:
    run, waiting = await make_run(JobStatus.RUNNING), await make_run(JobStatus.PENDING)
    ids = [waiting.id, run.id]

    async def same() -> None:
        assert await shown(client) == await as_it_is(sessions, ids)
        assert await shown(client) == await as_it_is(sessions, ids)

    async def do(statement: Any) -> None:
        async with transaction(sessions) as session:
            await session.execute(statement)
        await same()

    await same()
    await run.set(progress=0.5, step=3, metrics={"loss": 1.5})
    await same()
    await client.patch(f"{LIST}/{run.id}", json={"name": 'other " name"}'}, headers={})
    await same()
    await do(update(UserRow).values(username="renamed").where(UserRow.id == administrator.id))
    await run.move(JobStatus.COMPLETED)
    await same()
    assert (await shown(client))[1]["has_artifact"] is True
    async with transaction(sessions) as session:
        await jobs.requeue(session, run.job_id, resume=False)
    await same()
    assert [item["queue"]["position"] for item in await shown(client)] == [1, 2]
    # Another one is taken: no row of this task changes, and its place does.
    await do(update(JobRow).values(priority=5).where(JobRow.id == run.job_id))
    assert [item["queue"]["position"] for item in await shown(client)] == [2, 1]
    await do(text("UPDATE tasks SET description = 'by hand'"))
    await do(update(JobRow).values(error={"code": "internal", "message": "m", "hint": "h"}))


async def test_one_that_was_deleted_is_gone(
    client: httpx.AsyncClient, make_run: MakeRun, sessions: SessionFactory
) -> None:
    run, other = await make_run(JobStatus.STOPPED), await make_run(JobStatus.STOPPED)
    assert len(await shown(client)) == 2
    async with transaction(sessions) as session:
        await session.execute(delete(TaskRow).where(TaskRow.id == run.id))
        await session.execute(delete(JobTransitionRow).where(JobTransitionRow.job_id == run.job_id))
        await session.execute(delete(JobRow).where(JobRow.id == run.job_id))
    assert [item["id"] for item in await shown(client)] == [str(other.id)]
    assert (await client.get(f"{LIST}/{run.id}")).status_code == 404


async def test_what_one_user_has_seen_is_not_shown_to_another(
    app: FastAPI,
    client: httpx.AsyncClient,
    sign_in: SignIn,
    make_run: MakeRun,
    sessions: SessionFactory,
) -> None:
    alice = await make_user(sessions, "alice", Role.MEMBER)
    bob = await sign_in("bob", Role.MEMBER)
    run = await make_run(JobStatus.STOPPED, owner=alice)
    assert len(await shown(client)) == 1  # the administrator's list has made the JSON
    assert await shown(bob) == []
    assert (await bob.get(f"{LIST}/{run.id}")).status_code == 404
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://localhost",
        cookies={"easytune": await cookie_of(sessions, alice)},
    ) as own:
        assert [item["owner"] for item in await shown(own)] == ["alice"]


async def test_pages_filters_and_search_go_on_working(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    runs = [await make_run(JobStatus.STOPPED, name=f"run {number}") for number in range(5)]
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = (await client.get(LIST, params=query)).json()
        found += [item["id"] for item in answer["items"]]
        if (cursor := answer["next_cursor"]) is None:
            break
    assert found == [str(run.id) for run in reversed(runs)]
    assert [item["name"] for item in await shown(client, q="RUN 3")] == ["run 3"]
    assert await shown(client, status="RUNNING") == []
    assert (await client.get(LIST, params={"cursor": "nonsense"})).status_code == 400


async def test_the_overview_counts_what_the_list_shows(
    client: httpx.AsyncClient, sign_in: SignIn, make_run: MakeRun, sessions: SessionFactory
) -> None:
    alice = await make_user(sessions, "alice", Role.MEMBER)
    bob = await sign_in("bob", Role.MEMBER)
    await make_run(JobStatus.STOPPED, owner=alice)
    await make_run(JobStatus.COMPLETED)
    gone = await make_run(JobStatus.RUNNING)
    async with transaction(sessions) as session:
        await session.execute(delete(TaskRow).where(TaskRow.id == gone.id))
        await jobs.forget(session, gone.id)
    counts = (await client.get("/api/v1/system/overview")).json()
    assert counts == {"datasets": 0, "models": 0, "tasks": {"STOPPED": 1, "COMPLETED": 1}}
    assert (await bob.get("/api/v1/system/overview")).json()["tasks"] == {}
