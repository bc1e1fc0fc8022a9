"""One request is one transaction, and what could not be committed does not look like success."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection, text

from backend import database, schema
from backend.database import (
    DatabaseUnavailable,
    SessionDep,
    SessionFactory,
    make_engine,
    make_sessions,
    transaction,
)
from backend.errors import Conflict
from backend.runner.fencing import reaching

READ = "/api/v1/probe/read"


@pytest.fixture
async def probe(app: FastAPI, sessions: SessionFactory) -> AsyncIterator[FastAPI]:
    """The application with routes that write to a table of their own."""
    async with transaction(sessions) as session:
        await session.execute(
            text("CREATE TABLE probe (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        )
    router = APIRouter(prefix="/api/v1/probe")

    @router.post("/write/{n}")
    async def write(n: int, session: SessionDep) -> int:
        await session.execute(text("INSERT INTO probe VALUES (:n)"), {"n": n})
        return n

    @router.post("/refuse")
    async def refuse(session: SessionDep) -> None:
        await session.execute(text("INSERT INTO probe VALUES (99)"))
        raise Conflict

    @router.get("/read")
    async def read(session: SessionDep) -> list[int]:
        return list(await session.scalars(text("SELECT n FROM probe ORDER BY n")))

    @router.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield str(app.state.engine.pool.checkedout()).encode()

        return StreamingResponse(chunks())

    app.include_router(router)
    app.router.routes.insert(0, app.router.routes.pop())
    yield app
    async with transaction(sessions) as session:
        await session.execute(text("DROP TABLE probe"))


async def test_what_was_answered_is_kept(probe: FastAPI, client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v1/probe/write/1")).status_code == 200
    assert (await client.get(READ)).json() == [1]


async def test_what_was_refused_left_nothing(probe: FastAPI, client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v1/probe/refuse")).status_code == 409
    assert (await client.get(READ)).json() == []


async def test_a_commit_that_fails_is_no_success(probe: FastAPI, client: httpx.AsyncClient) -> None:
    await client.post("/api/v1/probe/write/1")
    assert (await client.post("/api/v1/probe/write/1")).status_code == 500
    assert (await client.get(READ)).json() == [1]


async def test_a_stream_holds_no_connection(probe: FastAPI, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/probe/stream")).text == "0"


async def test_a_pause_in_the_middle_of_a_query_keeps_no_lock(
    database_url: str, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the server a query that is prepared and not executed is at work, not idle."""
    monkeypatch.setattr(database, "TRANSACTION_TIMEOUT", "1s")
    engine = make_engine(database_url)
    lock = text("LOCK TABLE supervisor_lease")

    async def pause() -> None:
        async with reaching(make_sessions(engine)) as paused:
            await paused.execute(lock)
            connection = await (await paused.connection()).get_raw_connection()
            assert connection.driver_connection is not None
            await connection.driver_connection.prepare("SELECT epoch FROM supervisor_lease")
            async with asyncio.timeout(30), transaction(sessions) as other:
                await other.execute(lock)
            await paused.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        await pause()
    async with reaching(make_sessions(engine)) as fresh:
        assert await fresh.scalar(text("SHOW transaction_timeout")) == "1s"
    await engine.dispose()


async def test_an_upgrade_takes_as_long_as_it_needs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TRANSACTION_TIMEOUT", "100ms")
    engine = make_engine(database_url)
    seen = []

    def slowly(connection: Connection) -> None:
        seen.append(connection.scalar(text("SELECT 'done' FROM pg_sleep(0.5)")))

    monkeypatch.setattr(schema, "_require_complete", slowly)
    await schema.upgrade(engine)
    assert seen == ["done"]
    await engine.dispose()
