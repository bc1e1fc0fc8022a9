"""Attacks on access tokens (RFC 8725): each forged token differs from a good one in one thing."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from fastapi import FastAPI

from backend.accounts import tokens
from backend.accounts.tables import UserRow
from backend.accounts.tokens import BadToken, Tokens
from backend.ids import new_id

KEY = "0123456789abcdef" * 4


def good_claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "sub": str(new_id()),
        "sid": str(new_id()),
        "iat": now,
        "exp": now + 600,
        "jti": str(new_id()),
        "typ": tokens.TYPE,
    }
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def forge(
    claims: dict[str, Any], *, algorithm: str = "HS256", key: str = KEY, **header: Any
) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=header)


def without_signature(claims: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def tampered(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = str(uuid4())
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


ATTACKS: dict[str, Callable[[], str]] = {
    "no signature": lambda: without_signature(good_claims()),
    "other algorithm": lambda: forge(good_claims(), algorithm="HS512"),
    "other key": lambda: forge(good_claims(), key="f" * 64),
    "empty key": lambda: forge(good_claims(), key="x" * 32),
    "tampered": lambda: tampered(forge(good_claims())),
    "key id header": lambda: forge(good_claims(), kid="../../dev/null"),
    "key url header": lambda: forge(good_claims(), jku="https://evil.example/keys"),
    "key header": lambda: forge(good_claims(), jwk={"kty": "oct", "k": "AAAA"}),
    "critical header": lambda: forge(good_claims(), crit=["exp"], exp=1),
    "header type": lambda: forge(good_claims(), typ="refresh+jwt"),
    "expired": lambda: forge(good_claims(exp=int(time.time()) - 61)),
    "from the future": lambda: forge(good_claims(iat=int(time.time()) + 3600)),
    "claim type": lambda: forge(good_claims(typ="refresh")),
    "audience": lambda: forge(good_claims(aud="other")),
    "issuer": lambda: forge(good_claims(iss="other")),
    "subject is no id": lambda: forge(good_claims(sub="admin")),
    "not a token": lambda: "eyJ.eyJ.x",
    "empty": lambda: "",
    **{
        f"without {name}": (lambda name=name: forge(good_claims(**{name: None})))  # type: ignore[misc]
        for name in tokens.REQUIRED
    },
}


def test_a_good_token_is_read() -> None:
    claims = good_claims()
    read = Tokens(KEY).read(forge(claims))
    assert (str(read.user_id), str(read.sign_in_id)) == (claims["sub"], claims["sid"])


def test_made_tokens_live_ten_minutes() -> None:
    token = Tokens(KEY).make(new_id(), new_id())
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600
    assert set(tokens.REQUIRED) <= claims.keys()


@pytest.mark.parametrize("attack", ATTACKS)
def test_forged_tokens_are_refused(attack: str) -> None:
    with pytest.raises(BadToken):
        Tokens(KEY).read(ATTACKS[attack]())


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tokens("short")


async def token_of(client: httpx.AsyncClient) -> str:
    return str((await client.post("/api/v1/auth/refresh")).json()["access_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_token_signs_in(
    client: httpx.AsyncClient, anonymous_client: httpx.AsyncClient, administrator: UserRow
) -> None:
    headers = bearer(await token_of(client))
    me = await anonymous_client.get("/api/v1/auth/me", headers=headers)
    assert me.json()["id"] == str(administrator.id)
    again = await anonymous_client.post("/api/v1/auth/refresh", headers=headers)
    assert again.status_code == 200, "a token that is still valid gives a new one"


async def test_a_forged_token_does_not_sign_in(
    app: FastAPI, anonymous_client: httpx.AsyncClient, administrator: UserRow
) -> None:
    forged = Tokens(KEY).make(administrator.id, new_id())
    answer = await anonymous_client.get("/api/v1/auth/me", headers=bearer(forged))
    assert answer.status_code == 401
    of_nobody = app.state.tokens.make(administrator.id, new_id())
    answer = await anonymous_client.get("/api/v1/auth/me", headers=bearer(of_nobody))
    assert answer.status_code == 401, "right signature, no such session"


async def test_a_token_of_another_user_and_this_session_is_refused(
    app: FastAPI, client: httpx.AsyncClient, anonymous_client: httpx.AsyncClient
) -> None:
    sid = app.state.tokens.read(await token_of(client)).sign_in_id
    crossed = app.state.tokens.make(new_id(), sid)
    answer = await anonymous_client.get("/api/v1/auth/me", headers=bearer(crossed))
    assert answer.status_code == 401


async def test_sign_out_ends_tokens_at_once(
    client: httpx.AsyncClient, anonymous_client: httpx.AsyncClient
) -> None:
    headers = bearer(await token_of(client))
    assert (await client.post("/api/v1/auth/logout")).status_code == 204
    assert (await anonymous_client.get("/api/v1/auth/me", headers=headers)).status_code == 401


async def test_a_bad_token_is_not_rescued_by_the_cookie(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/auth/me", headers=bearer("nonsense"))
    assert answer.status_code == 401


@pytest.mark.parametrize("name", ["token", "access_token", "api_key"])
async def test_tokens_in_the_address_mean_nothing(
    client: httpx.AsyncClient, anonymous_client: httpx.AsyncClient, name: str
) -> None:
    token = await token_of(client)
    answer = await anonymous_client.get("/api/v1/auth/me", params={name: token})
    assert answer.status_code == 401
