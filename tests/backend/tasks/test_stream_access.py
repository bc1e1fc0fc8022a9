"""Streams end with the sign-in that opened them, and cost no connection to the database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, select, update

from backend.accounts import sign_ins
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
    monkeypatch.setattr(follow, "CHECK_ACCESS_EVERY_S", 0.2)
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
    assert follow.CHECK_ACCESS_EVERY_S + 2 * follow.WAIT_S < LONGEST_S


async def test_a_stream_keeps_its_sign_in_alive(
    live_client: httpx.AsyncClient,
    make_run: MakeRun,
    sessions: SessionFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who watches for a week is not idle."""
    monkeypatch.setattr(follow, "CHECK_ACCESS_EVERY_S", 0.1)
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
