"""What wraps every request: names, sizes, headers, ids, and how failures look."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import text

from backend.app import create_app
from backend.database import SessionDep, SessionFactory, make_engine, make_readers, make_sessions
from backend.middleware import body_limits
from backend.middleware.hosts import host_of, known_hosts
from backend.settings import Settings
from tests.conftest import BASE_URL

PUBLIC = "/api/v1/auth/setup"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8000", 200),
        ("easytune.example", 200),
        ("localhost.", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("", 421),
    ],
)
async def test_hosts(settings: Settings, sessions: SessionFactory, host: str, status: int) -> None:
    settings.allowed_hosts = ["EasyTune.example"]
    app = create_app(settings, background=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as client,
    ):
        answer = await client.get(PUBLIC, headers={"Host": host})
        assert answer.status_code == status
        if status == 421:
            assert answer.json()["code"] == "UnknownHost"
            page = await client.get("/", headers={"Host": host})
            assert page.status_code == 421


def test_a_wildcard_address_stands_for_our_own(settings: Settings) -> None:
    settings.host = "0.0.0.0"
    assert "127.0.0.1" in known_hosts(settings)
    assert host_of("[fe80::1]:80") == "fe80::1"


async def test_headers(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/v1/auth/me", "/api/v1/nothing", "/assets/nothing.js"):
        headers = (await client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        for part in ("default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
            assert part in policy
        assert "script-src" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers
        assert "Server" not in headers
    assert (await client.get("/api/v1/auth/me")).headers["Cache-Control"] == "no-store"


async def test_request_ids(client: httpx.AsyncClient) -> None:
    given = {"X-Request-ID": "abcdefgh-1234"}
    answer = await client.get("/api/v1/nothing", headers=given)
    assert answer.headers["X-Request-ID"] == "abcdefgh-1234"
    assert answer.json()["request_id"] == "abcdefgh-1234"
    odd = await client.get("/api/v1/nothing", headers={"X-Request-ID": "a\tb <script>"})
    assert len(odd.headers["X-Request-ID"]) == 36


async def test_a_large_body_is_refused_by_its_length(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/auth/login", content=b"x" * 1_000_001)
    assert (answer.status_code, answer.json()["code"]) == (413, "BodyTooLarge")


async def test_a_large_body_without_length_is_cut(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 100_000
            yield b"x" * 100_000

    answer = await client.post(
        "/api/v1/auth/login", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "BodyTooLarge")
    assert sent <= 2_000_000


async def test_uploads_have_their_own_limit(client: httpx.AsyncClient, app: FastAPI) -> None:
    limits = body_limits.BodyLimits(app, max_upload_mb=7)

    def limit(method: str, path: str, kind: str) -> int:
        headers = [(b"content-type", kind.encode())]
        return limits._limit({"method": method, "path": path, "headers": headers})

    form, part = "multipart/form-data; boundary=x", "application/offset+octet-stream"
    assert limit("POST", "/api/v1/datasets", form) == 8_000_000
    assert limit("PATCH", "/api/v1/uploads/1", part) == 8_000_000
    assert limit("POST", "/api/v1/uploads/1", part) == 8_000_000
    for other in ("/api/v1/datasets/examples", "/api/v1/datasetsx", "/api/v1/tasks"):
        assert limit("POST", other, form) == 1_000_000
    assert limit("PUT", "/api/v1/datasets", form) == 1_000_000
    assert limit("POST", "/api/v1/datasets", "application/json") == 1_000_000
    assert limit("PATCH", "/api/v1/uploads/1", "application/json") == 1_000_000
    assert limit("POST", "/api/v1/uploads", part) == 1_000_000


async def test_a_body_that_never_comes(
    live_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limits, "SLOWEST_GAP_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", live_client.base_url.port)
    writer.write(
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
        b"Content-Type: application/json\r\n\r\n{"
    )
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"BodyTooSlow" in answer
    writer.close()
    await writer.wait_closed()


async def test_a_body_that_drips(
    live_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limits, "LONGEST_S", 0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", live_client.base_url.port)
    writer.write(
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        b"Content-Type: application/json\r\n\r\n{"
    )
    # The first piece only: what follows may be a reset, because bytes of ours were not read.
    answering = asyncio.create_task(reader.read(4096))
    while not answering.done():
        writer.write(b" ")
        await asyncio.wait({answering}, timeout=0.05)
    assert answering.result().startswith(b"HTTP/1.1 408 ")
    writer.close()


@pytest.fixture
def broken(app: FastAPI) -> FastAPI:
    """The application with routes that break."""
    router = APIRouter(prefix="/api/v1/broken")

    @router.get("/bug")
    def bug() -> None:
        raise ZeroDivisionError("secret detail in /srv/easytune")

    @router.get("/ask")
    async def ask(session: SessionDep) -> int:
        return int(await session.scalar(text("SELECT 1")) or 0)

    @router.get("/cut")
    async def cut(session: SessionDep) -> None:
        await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    app.include_router(router)
    app.router.routes.insert(0, app.router.routes.pop())
    return app


async def test_bugs_are_told_as_an_id(
    broken: FastAPI, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/api/v1/broken/bug?secret=1")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "InternalError"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert "nosniff" in answer.headers["X-Content-Type-Options"]
    for detail in ("ZeroDivision", "srv", "Traceback"):
        assert detail not in answer.text


async def test_a_cut_connection_is_503_and_the_next_call_works(
    broken: FastAPI, client: httpx.AsyncClient
) -> None:
    answer = await client.get("/api/v1/broken/cut")
    assert answer.status_code == 503
    assert answer.json()["code"] == "DatabaseUnavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert (await client.get("/api/v1/broken/ask")).json() == 1


@contextmanager
def without_database(app: FastAPI) -> Iterator[None]:
    """Everything that asks the database is led to a port where nothing listens."""
    state = app.state
    before = state.engine, state.sessions, state.readers
    away = make_engine("postgresql://nobody:x@127.0.0.1:1/nothing")
    state.engine, state.sessions, state.readers = away, make_sessions(away), make_readers(away)
    try:
        yield
    finally:
        state.engine, state.sessions, state.readers = before


async def test_no_database_is_503_everywhere(broken: FastAPI, client: httpx.AsyncClient) -> None:
    with without_database(broken):
        for path in ("/api/v1/auth/me", "/api/v1/broken/ask", PUBLIC):
            answer = await client.get(path)
            assert answer.status_code == 503, path
            assert answer.json()["code"] == "DatabaseUnavailable"
            assert "Retry-After" in answer.headers
    assert (await client.get("/api/v1/auth/me")).status_code == 200


async def test_access_log_has_no_query(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.middleware import context

    lines: list[dict[str, Any]] = []

    class Log:
        def info(self, event: str, **values: Any) -> None:
            lines.append({"event": event, **values})

    monkeypatch.setattr(context, "log", Log())
    await client.get("/api/v1/auth/me?token=hunter2&q=my+secret")
    assert lines[0]["path"] == "/api/v1/auth/me"
    assert lines[0]["status"] == 200
    assert "hunter2" not in str(lines)
    assert "secret" not in str(lines)
