"""The first administrator: only with the token of the server's owner, once."""

import asyncio
import stat

import httpx
import pytest
from fastapi import FastAPI

from backend.accounts import setup_token
from backend.accounts.service import list_users
from backend.accounts.setup_token import BadSetupToken, SetupToken
from backend.database import SessionFactory, transaction

GOOD = {"username": "Ada", "password": "four unrelated words here"}


async def set_up(client: httpx.AsyncClient, token: str, **changes: str) -> httpx.Response:
    return await client.post("/api/v1/auth/setup", json={**GOOD, "setup_token": token, **changes})


async def test_set_up_makes_an_administrator_and_signs_in(
    app: FastAPI, anonymous_client: httpx.AsyncClient
) -> None:
    client = anonymous_client
    assert (await client.get("/api/v1/auth/setup")).json()["needs_setup"] is True
    token = app.state.setup_token.renew()
    file = app.state.setup_token.path
    assert file.read_text().strip() == token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    answer = await set_up(client, token)
    assert answer.status_code == 201, answer.text
    me = await client.get("/api/v1/auth/me")  # by the cookie
    assert me.json()["username"] == "ada"
    assert me.json()["role"] == "administrator"
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    client.cookies.clear()
    assert (await client.get("/api/v1/auth/me", headers=bearer)).status_code == 200
    assert not file.exists()
    assert (await client.get("/api/v1/auth/setup")).json()["needs_setup"] is False
    assert (await set_up(client, token, username="eve")).status_code == 409


async def test_two_at_once_make_one(
    app: FastAPI, anonymous_client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    token = app.state.setup_token.renew()
    answers = await asyncio.gather(
        *(set_up(anonymous_client, token, username=f"user{n}") for n in range(5))
    )
    assert sorted(a.status_code for a in answers)[0] == 201
    assert sum(a.status_code == 201 for a in answers) == 1
    async with transaction(sessions) as session:
        assert len(await list_users(session)) == 1


@pytest.mark.parametrize("token", ["", "wrong", "ümlaut"])
async def test_a_wrong_token_is_refused(
    app: FastAPI, anonymous_client: httpx.AsyncClient, token: str
) -> None:
    app.state.setup_token.renew()
    answer = await set_up(anonymous_client, token)
    assert (answer.status_code, answer.json()["code"]) == (403, "BadSetupToken")


async def test_without_a_token_nothing_is_right(anonymous_client: httpx.AsyncClient) -> None:
    assert (await set_up(anonymous_client, "")).status_code == 403


async def test_guessing_the_token_is_limited(
    app: FastAPI, anonymous_client: httpx.AsyncClient
) -> None:
    app.state.setup_token.renew()
    statuses = [(await set_up(anonymous_client, "no")).status_code for _ in range(25)]
    assert statuses[0] == 403
    assert statuses[-1] == 429


async def test_a_weak_password_keeps_the_token(
    app: FastAPI, anonymous_client: httpx.AsyncClient
) -> None:
    token = app.state.setup_token.renew()
    answer = await set_up(anonymous_client, token, password="password1234")
    assert answer.json()["code"] == "WeakPassword"
    assert answer.json()["errors"][0]["pointer"] == "/password"
    assert (await set_up(anonymous_client, token)).status_code == 201


def test_a_new_token_ends_the_old_one_and_all_end_after_an_hour(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: SetupToken = app.state.setup_token
    first, second = kept.renew(), kept.renew()
    with pytest.raises(BadSetupToken):
        kept.check(first)
    kept.check(second)
    monkeypatch.setattr(setup_token, "LIFETIME_S", -1.0)
    with pytest.raises(BadSetupToken):
        kept.check(second)
