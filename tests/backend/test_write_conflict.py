"""Deadlocks of a real PostgreSQL: units of work are done again as a whole, requests get a 503."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import text

from backend.database import (
    SessionDep,
    SessionFactory,
    WriteConflict,
    again_on_conflict,
    transaction,
)

ADD = text("UPDATE pairs SET n = n + 1 WHERE id = :id")


@pytest.fixture
async def pairs(sessions: SessionFactory) -> AsyncIterator[None]:
    """Two rows to lock crosswise."""
    async with transaction(sessions) as session:
        await session.execute(text("CREATE TABLE pairs (id int PRIMARY KEY, n int)"))
        await session.execute(text("INSERT INTO pairs VALUES (1, 0), (2, 0)"))
    yield
    async with transaction(sessions) as session:
        await session.execute(text("DROP TABLE pairs"))


class Crossing:
    """Two transactions that each have one row when they ask for the other."""

    def __init__(self, sessions: SessionFactory) -> None:
        self.sessions = sessions
        self.tries = 0
        self._both = asyncio.Barrier(2)
        self._met = False

    async def both(self, first: int, second: int) -> None:
        """One unit of work."""
        self.tries += 1
        async with transaction(self.sessions) as session:
            await session.execute(ADD, {"id": first})
            if not self._met:
                await self._both.wait()
                self._met = True
            await session.execute(ADD, {"id": second})

    async def values(self) -> list[int]:
        async with transaction(self.sessions) as session:
            return list(await session.scalars(text("SELECT n FROM pairs ORDER BY id")))


async def test_a_deadlock_is_one_error_with_a_name(sessions: SessionFactory, pairs: None) -> None:
    crossing = Crossing(sessions)
    ends = await asyncio.gather(crossing.both(1, 2), crossing.both(2, 1), return_exceptions=True)
    assert [type(end) for end in ends if end] == [WriteConflict]
    assert await crossing.values() == [1, 1]


async def test_a_unit_of_work_is_done_again_as_a_whole(
    sessions: SessionFactory, pairs: None
) -> None:
    crossing = Crossing(sessions)
    unit: Callable[[int, int], Awaitable[None]] = again_on_conflict(crossing.both)
    await asyncio.gather(unit(1, 2), unit(2, 1))
    assert await crossing.values() == [2, 2]  # each wrote both, exactly once
    assert crossing.tries == 3


async def test_it_is_not_tried_for_ever(sessions: SessionFactory) -> None:
    tries = 0

    @again_on_conflict
    async def hopeless() -> None:
        nonlocal tries
        tries += 1
        async with transaction(sessions) as session:
            await session.execute(text("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"))

    with pytest.raises(WriteConflict):
        await hopeless()
    assert tries == 5


async def test_a_request_is_told_to_come_again(
    app: FastAPI, client: httpx.AsyncClient, sessions: SessionFactory, pairs: None
) -> None:
    both = asyncio.Barrier(2)
    router = APIRouter(prefix="/api/v1/probe")

    @router.post("/cross/{first}/{second}")
    async def cross(first: int, second: int, session: SessionDep) -> None:
        await session.execute(ADD, {"id": first})
        await both.wait()
        await session.execute(ADD, {"id": second})

    app.include_router(router)
    app.router.routes.insert(0, app.router.routes.pop())
    answers = await asyncio.gather(
        client.post("/api/v1/probe/cross/1/2"), client.post("/api/v1/probe/cross/2/1")
    )
    lost, won = sorted(answers, key=lambda answer: -answer.status_code)
    assert (lost.status_code, won.status_code) == (503, 200)
    assert lost.json()["code"] == "WriteConflict"
    assert int(lost.headers["Retry-After"]) >= 1
    assert await Crossing(sessions).values() == [1, 1]
