"""Signing in, its limits, cookies and sessions."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from backend.accounts import limits, passwords, service, sign_ins
from backend.accounts.schemas import Role
from backend.accounts.tables import SignInLimitRow, SignInRow, UserRow
from backend.app import create_app
from backend.database import SessionFactory, transaction
from backend.settings import Settings
from tests.conftest import BASE_URL, PASSWORD, SignIn

WRONG = {"username": "admin", "password": "not the right one"}


async def login(
    client: httpx.AsyncClient, username: str = "admin", password: str = PASSWORD
) -> httpx.Response:
    return await client.post(
        "/api/v1/auth/login", json={"username": username, "password": password}
    )


@pytest.fixture
async def client(anonymous_client: httpx.AsyncClient, administrator: UserRow) -> httpx.AsyncClient:
    """Somebody at the sign-in page of an installation with one user."""
    return anonymous_client


async def test_sign_in_gives_token_and_cookie(client: httpx.AsyncClient) -> None:
    answer = await login(client, " ADMIN ")
    assert answer.status_code == 200
    assert answer.json()["expires_in_s"] == 600
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("easytune=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie, "a browser would not send it back over plain HTTP"
    assert (await client.get("/api/v1/auth/me")).status_code == 200


async def test_behind_tls_the_cookie_is_a_host_cookie(app: FastAPI, administrator: UserRow) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=BASE_URL.replace("http:", "https:")
    ) as client:
        answer = await login(client)
        assert answer.headers["Set-Cookie"].startswith("__Host-easytune=")
        assert "; Secure" in answer.headers["Set-Cookie"]
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        assert (await client.get("/api/v1/auth/me")).status_code == 200
        secret = client.cookies["__Host-easytune"]
        client.cookies.clear()
        plain = {"Cookie": f"easytune={secret}"}
        assert (await client.get("/api/v1/auth/me", headers=plain)).status_code == 401


async def test_unknown_and_wrong_look_alike(client: httpx.AsyncClient) -> None:
    wrong = (await login(client, password="not the right one")).json()
    unknown = (await login(client, "nobody", "not the right one")).json()
    for answer in (wrong, unknown):
        answer.pop("request_id")
    assert wrong == unknown
    assert wrong["code"] == "BadCredentials"


async def test_an_unknown_name_costs_a_hash_too(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = passwords._verify

    def verify(stored: str, given: str) -> bool:
        seen.append(stored)
        return real(stored, given)

    monkeypatch.setattr(passwords, "_verify", verify)
    await login(client, "nobody", "not the right one")
    assert len(seen) == 1
    assert seen[0].startswith("$argon2id$v=19$m=47104,t=2,p=1$")


async def test_guessing_one_account_gets_slower(
    client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    answers = [await client.post("/api/v1/auth/login", json=WRONG) for _ in range(7)]
    assert [a.status_code for a in answers] == [401] * 5 + [429] * 2
    assert answers[-1].json()["code"] == "TooManySignIns"
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert (await login(client)).status_code == 429, "the right password has to wait as well"
    await let_time_pass(sessions, timedelta(seconds=2))
    assert (await login(client)).status_code == 200
    assert (await client.post("/api/v1/auth/login", json=WRONG)).status_code == 401, "forgiven"


async def let_time_pass(sessions: SessionFactory, span: timedelta) -> None:
    async with transaction(sessions) as session:
        await session.execute(
            update(SignInLimitRow).values(
                blocked_until=SignInLimitRow.blocked_until - span,
                last_failure_at=SignInLimitRow.last_failure_at - span,
            )
        )


async def test_delays_double_and_stay_short_for_accounts(sessions: SessionFactory) -> None:
    limit = limits.of_account("admin")
    delays = []
    for _ in range(15):
        async with transaction(sessions) as session:
            await limits.book(session, limit)
            row = await session.get_one(SignInLimitRow, limit.subject)
            delays.append(
                (row.blocked_until - row.last_failure_at).total_seconds()
                if row.blocked_until
                else 0
            )
        await let_time_pass(sessions, timedelta(seconds=61))
    assert delays[:9] == [0, 0, 0, 0, 1, 2, 4, 8, 16]
    assert delays[-1] == 60


async def has_to_wait(client: httpx.AsyncClient) -> bool:
    """Whether one of the next attempts is refused for coming too early: a slow machine takes
    longer for an attempt than the first delays last."""
    for n in range(8):
        if (await login(client, f"other{n}", "a wrong password")).status_code == 429:
            return True
    return False


@pytest.mark.long
async def test_guessing_many_accounts_from_one_address_gets_slower(
    client: httpx.AsyncClient,
) -> None:
    found = [(await login(client, f"user{n}", "a wrong password")).status_code for n in range(20)]
    assert found == [401] * 20
    assert await has_to_wait(client)


@pytest.mark.long
async def test_what_a_strangers_proxy_header_says_does_not_count(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    app.state.settings.insecure_http = True
    for n in range(20):
        client.headers["X-Forwarded-For"] = f"203.0.113.{n}"
        await login(client, f"user{n}", "a wrong password")
    client.headers["X-Forwarded-For"] = "198.51.100.1"
    assert await has_to_wait(client)


def test_addresses_of_one_ipv6_caller_are_one() -> None:
    one, two = limits.of_address("2001:db8::1"), limits.of_address("2001:db8::ffff:2")
    assert one.subject == two.subject
    assert limits.of_address("::ffff:192.0.2.1").subject == "address:192.0.2.1"


async def test_plain_http_from_elsewhere_is_refused(app: FastAPI, administrator: UserRow) -> None:
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        answer = await login(client)
        assert (answer.status_code, answer.json()["code"]) == (403, "InsecureConnection")
        app.state.settings.insecure_http = True
        assert (await login(client)).status_code == 200
        assert (await client.get("/api/v1/auth/setup")).json()["insecure_http"] is True


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"])
async def test_an_unknown_proxy_on_this_machine_does_not_make_callers_local(
    client: httpx.AsyncClient, administrator: UserRow, header: str
) -> None:
    client.headers[header] = "192.0.2.7"
    answer = await login(client)
    assert (answer.status_code, answer.json()["code"]) == (403, "UnknownProxy")


async def test_a_trusted_proxy_speaks_for_its_callers(
    settings: Settings, administrator: UserRow
) -> None:
    settings.trusted_proxies = ["192.0.2.0/24"]
    app = create_app(settings, background=False)

    async def through(proxy: str, protocol: str) -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(proxy, 4711))
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            client.headers.update({"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": protocol})
            return await login(client)

    async with app.router.lifespan_context(app):
        encrypted = await through("192.0.2.7", "https")
        assert encrypted.status_code == 200
        assert "Secure" in encrypted.headers["Set-Cookie"]
        assert (await through("192.0.2.7", "http")).json()["code"] == "InsecureConnection"
        assert (await through("198.51.100.1", "https")).json()["code"] == "InsecureConnection"


async def change(sessions: SessionFactory, **values: object) -> None:
    async with transaction(sessions) as session:
        await session.execute(update(SignInRow).values(**values))


async def test_sessions_end_when_idle_or_old(
    client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    await login(client)
    await change(sessions, last_seen_at=func.now() - sign_ins.IDLE + timedelta(minutes=5))
    assert (await client.get("/api/v1/auth/me")).status_code == 200
    async with transaction(sessions) as session:
        idle = await session.scalar(select(func.now() - SignInRow.last_seen_at))
    assert idle is not None
    assert idle < timedelta(minutes=1), "being used keeps a session alive"
    await change(sessions, last_seen_at=func.now() - sign_ins.IDLE - timedelta(seconds=1))
    assert (await client.get("/api/v1/auth/me")).status_code == 401
    await change(sessions, last_seen_at=func.now(), expires_at=func.now() - timedelta(seconds=1))
    assert (await client.get("/api/v1/auth/me")).status_code == 401


async def test_the_database_holds_no_secret(
    client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    await login(client)
    async with transaction(sessions) as session:
        row = (await session.scalars(select(SignInRow))).one()
        user = (await session.scalars(select(UserRow))).one()
    assert client.cookies["easytune"] not in row.secret_hash
    assert PASSWORD not in user.password_hash
    assert "m=47104" in user.password_hash, "the cheap hash of the fixture was made better"


async def test_sign_out_takes_the_cookie_back(sign_in: SignIn, sessions: SessionFactory) -> None:
    bob = await sign_in("bob", Role.MEMBER)
    secret = bob.cookies["easytune"]
    answer = await bob.post("/api/v1/auth/logout")
    assert 'easytune=""' in answer.headers["Set-Cookie"]
    bob.cookies.set("easytune", secret)
    assert (await bob.get("/api/v1/auth/me")).status_code == 401
    async with transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(SignInRow)) == 0


async def test_disabled_users_are_out_at_once(sign_in: SignIn, sessions: SessionFactory) -> None:
    bob = await sign_in("bob", Role.MEMBER)
    async with transaction(sessions) as session:
        await session.execute(update(UserRow).values(disabled_at=func.now()))
    assert (await bob.get("/api/v1/auth/me")).status_code == 401
    assert (await login(bob, "bob")).status_code == 401


async def test_a_new_password_signs_out_everywhere(
    sign_in: SignIn, sessions: SessionFactory
) -> None:
    bob = await sign_in("bob", Role.MEMBER)
    async with transaction(sessions) as session:
        await service.reset_password(session, "bob", "another four words then")
    assert (await bob.get("/api/v1/auth/me")).status_code == 401
    assert (await login(bob, "bob", "another four words then")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"username": "admin"},
        {"username": "admin", "password": "x" * 129},
        {"username": "admin", "password": "x", "role": "administrator"},
        [],
    ],
)
async def test_wrong_shapes_are_refused(client: httpx.AsyncClient, body: object) -> None:
    answer = await client.post("/api/v1/auth/login", json=body)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "x" * 50 not in answer.text, "what was sent is not sent back"


async def test_a_body_that_is_no_json_is_said_to_be_so(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/api/v1/auth/login", content='{"a": 1,}', headers=headers)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("", "json_invalid")
    assert "not valid JSON at character 9" in error["message"]
