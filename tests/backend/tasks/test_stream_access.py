"""Streams end with the sign-in that opened them, and cost no connection to the database."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, select, update
from starlette.requests import Request

from backend.accounts import access_watch, sign_ins
from backend.accounts.authentication import authenticate
from backend.accounts.tables import SignInRow, UserRow
from backend.database import SessionFactory, transaction
from backend.tasks import follow
from tests.backend.tasks.conftest import MakeRun
from tests.backend.tasks.sse_reader import opened

LONGEST_S = 60.0
PAST = datetime(2020, 1, 1, tzinfo=UTC)
ENDS: dict[str, Callable[[], Any]] = {
    "signed out": lambda: delete(SignInRow),
    "expired": lambda: update(SignInRow).values(expires_at=PAST),
    "unused for long": lambda: update(SignInRow).values(last_seen_at=PAST),
    "user disabled": lambda: update(UserRow).values(disabled_at=PAST),
}


@pytest.mark.parametrize("what", ["logs", "events"])
@pytest.mark.parametrize("end", ENDS)
async def test_it_ends_with_the_sign_in(
    live_client: httpx.AsyncClient,
    make_run: MakeRun,
    sessions: SessionFactory,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    end: str,
) -> None:
    monkeypatch.setattr(access_watch, "CHECK_EVERY_S", 0.2)
    run = await make_run()
    run.log("one")
    async with opened(live_client, f"/api/v1/tasks/{run.id}/{what}/stream") as reader:
        await reader.next()
        async with transaction(sessions) as session:
            await session.execute(ENDS[end]())
        last = (await reader.rest())[-1]
    assert (last.type, last.data) == ("auth", {"reason": "signed_out"})
    assert (await live_client.get(f"/api/v1/tasks/{run.id}")).status_code == 401


def test_it_is_noticed_within_a_minute() -> None:
    assert access_watch.CHECK_EVERY_S + 2 * follow.WAIT_S < LONGEST_S


async def test_a_stream_keeps_its_sign_in_alive(
    live_client: httpx.AsyncClient,
    make_run: MakeRun,
    sessions: SessionFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who watches for a week is not idle."""
    monkeypatch.setattr(access_watch, "CHECK_EVERY_S", 0.1)
    run = await make_run()
    async with opened(live_client, f"/api/v1/tasks/{run.id}/logs/stream") as reader:
        before = datetime.now(UTC) - 2 * sign_ins.TOUCH_EVERY
        async with transaction(sessions) as session:
            await session.execute(update(SignInRow).values(last_seen_at=before))
        await asyncio.sleep(1)
        run.log("one")
        assert (await reader.next()) is not None
    async with transaction(sessions) as session:
        row = (await session.scalars(select(SignInRow))).one()
    assert row.last_seen_at > before


async def test_many_streams_of_one_sign_in_ask_once(
    live_client: httpx.AsyncClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked again for each of a thousand would hold up what they wait for."""
    asked: list[Request] = []

    async def counted(request: Request) -> None:
        asked.append(request)
        await authenticate(request)

    monkeypatch.setattr(access_watch, "CHECK_EVERY_S", 0.5)
    monkeypatch.setattr(access_watch, "authenticate", counted)
    run = await make_run()
    run.log("one")
    async with AsyncExitStack() as stack:
        path = f"/api/v1/tasks/{run.id}/logs/stream"
        readers = [await stack.enter_async_context(opened(live_client, path)) for _ in range(20)]
        for reader in readers:
            await reader.next()
        asked.clear()
        await asyncio.sleep(2)
    assert 1 <= len(asked) <= 5


async def test_a_row_that_is_taken_is_not_waited_for(
    client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    """Of many requests that find a session unused for a while, one writes it down."""
    await client.get("/api/v1/auth/me")
    async with transaction(sessions) as session, transaction(sessions) as other:
        row = (await session.scalars(select(SignInRow).with_for_update())).one()
        await asyncio.wait_for(sign_ins.touch(other, row.id), 2)


STREAMS, REQUESTS = 200, 50


async def test_hundreds_of_streams_leave_room_for_requests(
    live_client: httpx.AsyncClient, make_run: MakeRun, app: FastAPI
) -> None:
    run = await make_run()
    run.log("one")
    place = urlsplit(str(live_client.base_url))
    head = f"Host: {place.netloc}\r\nCookie: easytune={live_client.cookies['easytune']}\r\n"

    async def stream() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        path = f"/api/v1/tasks/{run.id}/logs/stream"
        writer.write(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        await asyncio.wait_for(reader.readuntil(b"event: line"), 60)
        return writer

    writers: list[asyncio.StreamWriter] = []
    while len(writers) < STREAMS:  # opening one asks the database; not all in the same moment
        writers += await asyncio.gather(*(stream() for _ in range(20)))
    pool: Any = app.state.engine.pool
    assert pool.size() + pool._max_overflow < STREAMS
    answers = await asyncio.gather(
        *(live_client.get(f"/api/v1/tasks/{run.id}") for _ in range(REQUESTS))
    )
    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    for writer in writers:
        writer.transport.abort()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
