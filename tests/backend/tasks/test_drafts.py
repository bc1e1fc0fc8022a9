"""Drafts of the wizard: nothing is lost on refresh, nobody reads another's."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, update

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.tasks import drafts
from backend.tasks.tables import DraftRow
from tests.conftest import SignIn

PATH = "/api/v1/tasks/drafts"


async def _create(client: httpx.AsyncClient, **values: object) -> dict:
    answer = await client.post(PATH, json={"values": values, "step": 1})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_draft_comes_back_as_it_was_saved(client: httpx.AsyncClient) -> None:
    draft = await _create(client, name="bot", hyperparameters={"epochs": "not valid yet"})
    saved = await client.put(
        f"{PATH}/{draft['id']}", json={"values": {"name": "更好的 bot"}, "step": 2}
    )
    assert saved.status_code == 200
    found = (await client.get(f"{PATH}/{draft['id']}")).json()
    assert (found["values"], found["step"]) == ({"name": "更好的 bot"}, 2)
    assert found["updated_at"] > draft["updated_at"]
    assert [d["id"] for d in (await client.get(PATH)).json()] == [draft["id"]]
    assert (await client.delete(f"{PATH}/{draft['id']}")).status_code == 204
    assert (await client.get(f"{PATH}/{draft['id']}")).json()["code"] == "DraftNotFound"


async def test_the_last_changed_comes_first(client: httpx.AsyncClient) -> None:
    first, second = await _create(client, n=1), await _create(client, n=2)
    await client.put(f"{PATH}/{first['id']}", json={"values": {"n": 3}, "step": 0})
    listed = (await client.get(PATH)).json()
    assert [d["id"] for d in listed] == [first["id"], second["id"]]


async def test_drafts_belong_to_their_user(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    draft = await _create(client, n=1)
    bob = await sign_in("bob", Role.MEMBER)
    assert (await bob.get(PATH)).json() == []
    for answer in (
        await bob.get(f"{PATH}/{draft['id']}"),
        await bob.put(f"{PATH}/{draft['id']}", json={"values": {}}),
        await bob.delete(f"{PATH}/{draft['id']}"),
    ):
        assert answer.status_code == 404


async def test_viewers_begin_nothing(sign_in: SignIn) -> None:
    viewer = await sign_in("vera", Role.VIEWER)
    assert (await viewer.post(PATH, json={"values": {}})).status_code == 403


async def test_drafts_expire(client: httpx.AsyncClient, sessions: SessionFactory) -> None:
    draft = await _create(client, n=1)
    async with transaction(sessions) as session:
        old = func.now() - drafts.KEPT - timedelta(minutes=1)
        await session.execute(update(DraftRow).values(updated_at=old))
    assert (await client.get(PATH)).json() == []
    assert (await client.get(f"{PATH}/{draft['id']}")).status_code == 404


async def test_there_are_limits(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    large = await client.post(PATH, json={"values": {"x": "y" * drafts.MAX_BYTES}})
    assert large.json()["code"] == "DraftTooLarge"
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 1)
    await _create(client, n=1)
    assert (await client.post(PATH, json={"values": {}})).json()["code"] == "TooManyDrafts"
