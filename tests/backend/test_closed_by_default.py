"""Nothing outside the public list answers anybody who is not signed in."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, Route, WebSocketRoute

from backend.accounts.gate import PUBLIC_CALLS
from backend.app import create_app
from backend.settings import Settings
from tests.conftest import BASE_URL

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
PUBLIC_PAGES = {("GET", "/{path:path}"), ("HEAD", "/{path:path}")}  # the browser app's files


def calls(routes: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path below `routes`, into mounted applications as well."""
    for context in iter_route_contexts(routes):
        route, path = context.original_route, prefix + (context.path or "")
        if isinstance(route, Mount):
            yield from calls(list(route.routes), path)
            yield from ((method, path + "/anything") for method in ("GET", "POST"))
        elif isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", path
        else:
            assert isinstance(route, Route), f"a kind of route this test does not know: {route!r}"
            yield from ((method, path) for method in sorted(context.methods or {"GET", "POST"}))


def all_calls(app: FastAPI) -> set[tuple[str, str]]:
    return set(calls(list(app.routes)))


async def test_everything_else_is_closed(app: FastAPI, anonymous_client: httpx.AsyncClient) -> None:
    found = all_calls(app)
    assert ("GET", "/api/v1/auth/me") in found, "the walk over the routes finds too little"
    assert found >= PUBLIC_CALLS, "the public list names what does not exist"
    open_calls = []
    for method, path in sorted(found - PUBLIC_CALLS - PUBLIC_PAGES):
        assert method != "WEBSOCKET", f"{path}: the gate closes all; think before you open one"
        url = re.sub(r"\{[^}]*\}", ID, path)
        answer = await anonymous_client.request(method, url)
        if answer.status_code != 401:
            open_calls.append((method, path, answer.status_code))
    assert open_calls == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing",
        "/api",
        "/api/",
        "/api/v2/tasks",
        "//api/v1/auth/me/",
        "/api/v1/auth/me/",
        "/api/v1/openapi.json",
        "/%61pi/v1/auth/me",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/metrics",
        "/v1/models",
        "/api/v1/auth/setup/../me",
    ],
)
async def test_what_does_not_exist_is_closed_as_well(
    anonymous_client: httpx.AsyncClient, path: str
) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "PATCH"):
        answer = await anonymous_client.request(method, path)
        assert answer.status_code == 401, (method, path)


@pytest.mark.parametrize("call", sorted(PUBLIC_CALLS))
async def test_public_calls_allow_their_method_only(
    anonymous_client: httpx.AsyncClient, call: tuple[str, str]
) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await anonymous_client.request(method, call[1])).status_code == 401


async def test_a_route_that_forgets_is_closed_by_the_second_lock(settings: Settings) -> None:
    app = create_app(settings, background=False)
    forgotten = APIRouter()

    @forgotten.get("/forgotten")
    def secret() -> str:
        return "secret"

    app.include_router(forgotten)
    app.router.routes.insert(0, app.router.routes.pop())  # before the browser app's catch-all
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as client:
        answer = await client.get("/forgotten")
    assert answer.status_code == 401


async def test_websockets_are_turned_away(app: FastAPI) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost")]
    scope = {"type": "websocket", "path": "/api/v1/tasks", "headers": headers, "query_string": b""}
    await app(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_signed_in_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    assert "/api/v1/auth/me" in document["paths"]


async def test_a_body_is_not_read_for_strangers(app: FastAPI) -> None:
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/datasets",
        "raw_path": b"/api/v1/datasets",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "headers": [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=x")],
    }
    await app(scope, receive, send)
    assert statuses == [401]
    assert read == 0
