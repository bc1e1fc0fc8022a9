"""A key stands for one piece of work, whatever is retried, doubled or interrupted."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import BaseModel
from sqlalchemy import func, select, update

from backend import idempotency
from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.idempotency import (
    BadIdempotencyKey,
    IdempotencyKeyReused,
    IdempotencyKeyRow,
    RequestInProgress,
    fingerprint_of,
    once,
)
from tests.conftest import make_user


class Answer(BaseModel):
    """What the work gives back."""

    number: int


class Work:
    """Counts how often it was done."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.done = 0
        self.pause_s = pause_s

    async def __call__(self) -> Answer:
        await asyncio.sleep(self.pause_s)
        self.done += 1
        return Answer(number=self.done)


@pytest.fixture
async def user(sessions: SessionFactory) -> UserRow:
    return await make_user(sessions, "alice", Role.MEMBER)


async def _ask(
    sessions: SessionFactory, user: UserRow, work: Work, key: str | None = "k", body: str = "a"
) -> Answer:
    async with transaction(sessions) as session:
        return await once(session, user.id, key, fingerprint_of(body), Answer, work)


async def test_the_second_gets_the_first_answer(sessions: SessionFactory, user: UserRow) -> None:
    work = Work()
    answers = [await _ask(sessions, user, work) for _ in range(3)]
    assert answers == [Answer(number=1)] * 3
    assert work.done == 1


async def test_without_a_key_every_request_counts(sessions: SessionFactory, user: UserRow) -> None:
    work = Work()
    for _ in range(2):
        await _ask(sessions, user, work, key=None)
    assert work.done == 2


async def test_another_body_under_the_same_key_is_refused(
    sessions: SessionFactory, user: UserRow
) -> None:
    work = Work()
    await _ask(sessions, user, work)
    with pytest.raises(IdempotencyKeyReused) as refused:
        await _ask(sessions, user, work, body="b")
    assert refused.value.status == 422
    assert work.done == 1


async def test_keys_belong_to_their_user(sessions: SessionFactory, user: UserRow) -> None:
    work, bob = Work(), await make_user(sessions, "bob", Role.MEMBER)
    await _ask(sessions, user, work)
    assert (await _ask(sessions, bob, work)).number == 2


async def test_of_two_at_once_one_works_and_both_get_its_answer(
    sessions: SessionFactory, user: UserRow
) -> None:
    work = Work(pause_s=0.2)
    answers = await asyncio.gather(*(_ask(sessions, user, work) for _ in range(4)))
    assert answers == [Answer(number=1)] * 4
    assert work.done == 1


async def test_who_would_wait_too_long_is_sent_away(
    sessions: SessionFactory, user: UserRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_MS", 50)
    work = Work(pause_s=1.5)
    first = asyncio.create_task(_ask(sessions, user, work))
    await asyncio.sleep(0.4)
    with pytest.raises(RequestInProgress) as refused:
        await _ask(sessions, user, work)
    assert (refused.value.status, refused.value.headers) == (409, {"Retry-After": "1"})
    assert (await first).number == 1


async def test_failed_work_frees_its_key(sessions: SessionFactory, user: UserRow) -> None:
    async def fail() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with transaction(sessions) as session:
            await once(session, user.id, "k", fingerprint_of("a"), Answer, fail)
    assert (await _ask(sessions, user, Work())).number == 1


async def test_a_key_is_forgotten_after_a_day(sessions: SessionFactory, user: UserRow) -> None:
    work, row = Work(), IdempotencyKeyRow
    await _ask(sessions, user, work)
    async with transaction(sessions) as session:
        old = func.now() - idempotency.KEPT - timedelta(minutes=1)
        await session.execute(update(row).values(created_at=old))
    assert (await _ask(sessions, user, work, body="b")).number == 2
    async with transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(row)) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "line\nbreak", "ключ"])
async def test_keys_are_short_and_plain(sessions: SessionFactory, user: UserRow, key: str) -> None:
    with pytest.raises(BadIdempotencyKey):
        await _ask(sessions, user, Work(), key=key)
