"""One request is one transaction, and what could not be committed does not look like success."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend import database, schema
from backend.accounts.schemas import Role
from backend.database import (
    DatabaseUnavailable,
    SessionDep,
    SessionFactory,
    fetch_row,
    make_engine,
    make_readers,
    make_sessions,
    transaction,
)
from backend.errors import Conflict
from backend.runner.fencing import reaching
from tests.conftest import make_user

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


async def test_a_connection_that_the_server_ended_is_replaced_unnoticed(
    database_url: str, sessions: SessionFactory
) -> None:
    """Without asking the server before every use whether it still answers."""
    engine = make_engine(database_url, pool_size=1, max_overflow=0)

    async def backend_pid() -> int:
        row = await fetch_row(engine, "SELECT pg_backend_pid()")
        assert row is not None
        return int(row[0])

    first = await backend_pid()
    assert await backend_pid() == first
    async with sessions() as other:
        await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
        while await other.scalar(
            text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid"), {"pid": first}
        ):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # the news arrives
    assert await backend_pid() != first
    async with transaction(make_sessions(engine)) as session:
        assert await session.scalar(text("SELECT 1")) == 1
    await engine.dispose()


class Firewall:
    """Stands between client and server; forgets connections without a word, as routers do with
    those that were quiet for long, and refuses what then still comes on them."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self.forgotten: set[asyncio.StreamWriter] = set()
        self.known: set[asyncio.StreamWriter] = set()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(self._server.hostname, self._server.port)
        self.known.add(writer)

        async def back() -> None:
            while data := await server.read(65536):
                writer.write(data)
            writer.close()

        answers = asyncio.create_task(back())
        while (data := await reader.read(65536)) and writer not in self.forgotten:
            to_server.write(data)
        writer.transport.abort()
        answers.cancel()
        to_server.transport.abort()


@pytest.mark.parametrize("trusted_s", [0.0, 60.0])
async def test_one_that_rested_is_asked_first(
    database_url: str, monkeypatch: pytest.MonkeyPatch, trusted_s: float
) -> None:
    monkeypatch.setattr(database, "TRUSTED_S", trusted_s)
    firewall = Firewall(database_url)
    listener = await asyncio.start_server(firewall.pass_on, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    place = urlsplit(database_url)
    through = place._replace(netloc=f"{place.username}:{place.password}@127.0.0.1:{port}").geturl()
    engine = make_engine(through, pool_size=1, max_overflow=0)
    assert await fetch_row(engine, "SELECT 1") is not None
    firewall.forgotten |= firewall.known
    if trusted_s:  # what the question is good for
        with pytest.raises(DatabaseUnavailable):
            await fetch_row(engine, "SELECT 1")
    assert await fetch_row(engine, "SELECT 1") is not None
    await engine.dispose()
    listener.close()


async def test_a_server_that_ends_in_the_middle_is_an_answer(
    database_url: str, sessions: SessionFactory
) -> None:
    engine = make_engine(database_url, pool_size=1, max_overflow=0)
    pid = await fetch_row(engine, "SELECT pg_backend_pid()")
    assert pid is not None
    asked = asyncio.create_task(fetch_row(engine, "SELECT pg_sleep(30)"))
    await asyncio.sleep(0.2)
    async with sessions() as other:
        await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid[0]})
    with pytest.raises(DatabaseUnavailable):
        await asked
    assert await fetch_row(engine, "SELECT 1 AS n") is not None
    await engine.dispose()


async def test_a_reader_sees_what_was_committed_meanwhile(
    engine: AsyncEngine, sessions: SessionFactory
) -> None:
    async with make_readers(engine)() as reader:
        count = text("SELECT count(*) FROM users")
        assert await reader.scalar(count) == 0
        await make_user(sessions, "bob", Role.MEMBER)
        assert await reader.scalar(count) == 1
    # The next one to use the connection has a transaction again.
    async with make_sessions(engine)() as session:
        first = await session.scalar(text("SELECT now()"))
        await asyncio.sleep(0.01)
        assert await session.scalar(text("SELECT now()")) == first
