"""A disk that gets full: told to administrators, once for each fall, and taken back."""

import asyncio
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.notices import disk_watch
from backend.notices.disk_watch import DiskWatch
from backend.notices.dispatcher import Dispatcher
from backend.notices.tables import NoticeRow
from backend.system.disk import LOW_BYTES
from tests.backend.notices.conftest import AddTarget
from tests.backend.notices.receivers import HttpReceiver
from tests.conftest import make_user

LOW, ENOUGH = LOW_BYTES - 1, 2 * LOW_BYTES
pytestmark = pytest.mark.usefixtures("administrator")


@pytest.fixture
def look(sessions: SessionFactory, tmp_path: Path) -> Any:
    """Looks as a platform that has just been started."""

    async def look(free: int) -> None:
        await DiskWatch(sessions, tmp_path, lambda _: free).look()

    return look


async def shown(client: httpx.AsyncClient) -> tuple[int, list[dict[str, Any]]]:
    answer = (await client.get("/api/v1/notices")).json()
    return answer["unread"], answer["items"]


async def test_once_for_each_fall(client: httpx.AsyncClient, look: Any) -> None:
    await look(ENOUGH)
    assert await shown(client) == (0, [])
    for _ in range(3):
        await look(LOW)
    unread, [notice] = await shown(client)
    assert (unread, notice["kind"], notice["level"]) == (1, "disk_low", "warning")
    assert notice["params"] == {"free_bytes": LOW, "low_bytes": LOW_BYTES}
    assert notice["subject"]["type"] == "disk"

    await look(LOW_BYTES + 1)  # hardly more: that is no end
    assert (await shown(client))[0] == 1
    await look(ENOUGH)
    unread, [notice] = await shown(client)
    assert (unread, notice["params"]["over"]) == (0, True)

    await look(LOW)
    unread, notices = await shown(client)
    assert (unread, len(notices)) == (1, 2)
    await look(ENOUGH)
    assert [notice["params"].get("over") for notice in (await shown(client))[1]] == [True, True]


async def test_for_administrators_also_those_of_later(
    sessions: SessionFactory, session: AsyncSession, client: httpx.AsyncClient, look: Any
) -> None:
    await make_user(sessions, "member", Role.MEMBER)
    await look(LOW)
    later = await make_user(sessions, "later", Role.ADMINISTRATOR)
    gone = await make_user(sessions, "gone", Role.ADMINISTRATOR)
    async with transaction(sessions) as changing:
        (await changing.get_one(UserRow, gone.id)).disabled_at = gone.created_at
    await look(LOW)
    assert (await shown(client))[0] == 1
    told = await session.scalars(
        select(UserRow.username).join(NoticeRow, NoticeRow.owner_id == UserRow.id)
    )
    assert sorted(told) == ["admin", later.username]


async def test_one_message_to_the_outside(
    sessions: SessionFactory,
    look: Any,
    dispatcher: Dispatcher,
    receiver: HttpReceiver,
    add_target: AddTarget,
) -> None:
    await add_target(receiver.url)
    await make_user(sessions, "second", Role.ADMINISTRATOR)
    for _ in range(2):
        await look(LOW)
    assert await dispatcher.once() == 1
    [got] = receiver.received
    told = orjson.loads(got.body)
    assert told["type"] == "disk_low"
    assert told["data"]["text"].startswith("5.0 GB of the data folder's disk are free.")
    assert told["data"]["link"] == "https://easytune.example/system"
    await look(ENOUGH)
    assert await dispatcher.once() == 0


async def test_a_disk_that_can_not_be_asked(
    sessions: SessionFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    answers = chain([OSError("gone")], repeat(LOW))

    def free_of(_folder: Path) -> int:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(disk_watch, "LOOK_EVERY_S", 0.01)
    watching = asyncio.create_task(DiskWatch(sessions, tmp_path, free_of).run())
    try:
        async with asyncio.timeout(10):
            while (await shown(client))[0] == 0:
                await asyncio.sleep(0.02)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
