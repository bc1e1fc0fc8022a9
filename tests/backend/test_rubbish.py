"""Rubbish at every route of the API: it is refused in a plain problem document, never a crash.

Every parameter and every field of every body, one after the other, is given each of the values
that have broken programs before. What exists (a data set, a model, a task) is there, so that the
values come as far as they can.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from backend.accounts.tables import UserRow
from backend.app import describe
from backend.database import SessionFactory, transaction
from backend.datasets.tables import DatasetVersionRow
from backend.datasets.version_service import FACTS
from backend.errors import PROBLEM_MEDIA_TYPE
from backend.ids import new_id
from backend.jobs.schemas import JobStatus
from backend.settings import Settings
from backend.tasks.tables import ListViewRow
from tests.backend.tasks.conftest import MakeRun, make_run
from tests.backend.tasks.sources import add_dataset, add_model

__all__ = ["make_run"]
pytestmark = pytest.mark.long

DOCUMENT = describe()
# As they stand in an address, percent-encoded where needed.
IN_ADDRESS = [
    *("", "%00", "a%00b", "%ff", "%ed%a0%80", "%F0%9F%A6%99", "-1", "0", "1", "1e3", "NaN"),
    *("9223372036854775808", "-9223372036854775809", "9" * 400, "true", "null", "%5B%5D"),
    *("1-0", "1-", "999999999-999999999999999999", "-1--1", "..%2F..%2Fetc%2Fpasswd"),
    *("%25%5F%5C", "%27%3B%20DROP%20TABLE%20tasks", "0001-01-01T00:00:00%2B14:00"),
    *("9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00", "-9999999999999", "x" * 3000),
    *("00000000-0000-0000-0000-000000000000", "%E2%80%AE", "%0D%0ASet-Cookie:%20a=b"),
]
DEEP: list[Any] = []
for _ in range(400):
    DEEP = [DEEP]
IN_BODY: list[Any] = [
    *(
        None,
        True,
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "x\udfff",
        "\u202e",
        "🦙" * 300,
        "x" * 20_000,
    ),
    *(-1, 0, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, float("inf"), float("nan"), 0.1),
    *(
        [],
        {},
        [None],
        {"a": "b"},
        {"a": 10**30},
        {"a": [float("nan")]},
        {"a": {"b": "\ud800"}},
        {"\x00": "\x00"},
        {"\ud800": 1},
        DEEP,
    ),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\x",
        "%00",
        "'; DROP TABLE tasks; --",
        "{0.__class__}",
    ),
    *("{{7*7}}", "<script>alert(1)</script>", "null", "1", "2026-02-30"),
]
WHOLE_BODIES = [
    *(b"", b"{", b"null", b"[]", b'"x"', b"1", b"\xff\xfe", b'{"a":', b"\x00", b"{}", b"[{}]"),
    *(b'{"\\u0000": 1}', b'{"\\ud800": 1}', b'{"name": "\xed\xa0\x80"}', b"[" * 5000),
    *(b'{"x": ' * 3000 + b"1" + b"}" * 3000, b'{"name": 1e999}', b'{"a":1,"a":2}'),
]
MEDIA_TYPES = [
    "",
    "text/plain",
    "application/xml",
    "multipart/form-data",
    "application/json; x=\xff",
]
MEDIA_TYPES += ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "*/*"]


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/v1")
        # It ends the session of the client that asks.
        and path != "/api/v1/auth/logout"
    ]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _sample(schema: dict[str, Any], known: dict[str, str], name: str = "") -> Any:
    """A value that is as good as the schema alone can tell."""
    schema = _resolved(schema)
    if name in known:
        return known[name]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _sample(schema[several][0], known, name)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "default" in schema:
        return schema["default"]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {key: _sample(part, known, key) for key, part in fields.items()}
        case "array":
            return [_sample(schema.get("items", {}), known)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return "something"


def _with_rubbish(body: Any) -> Iterator[Any]:
    """`body` with each part, one at a time, replaced by each of the values, or left out."""
    if isinstance(body, dict):
        yield {**body, "no_such_field": 1}
        for key, value in body.items():
            yield {k: v for k, v in body.items() if k != key}
            for other in _with_rubbish(value):
                yield {**body, key: other}
    elif isinstance(body, list) and body:
        for other in _with_rubbish(body[0]):
            yield [other]
    if not isinstance(body, dict) or not body:
        yield from IN_BODY


@pytest.fixture
async def known(
    sessions: SessionFactory, settings: Settings, administrator: UserRow, make_run: MakeRun
) -> dict[str, str]:
    """What is really there, by the name of the parameter that asks for it."""
    async with transaction(sessions) as session:
        data = await add_dataset(session, settings, administrator.id)
        facts = {name: getattr(data, name) for name in ("status", *FACTS)}
        session.add(DatasetVersionRow(dataset_id=data.id, version=1, **facts))
        model = await add_model(session, settings)
        view = ListViewRow(owner_id=administrator.id, name="Mine", query="status=FAILED")
        session.add(view)
    run = await make_run(JobStatus.COMPLETED)
    run.log("first", "second")
    with run.events() as events:
        events.write("stopped", step=0)
    return {
        "dataset_id": str(data.id),
        "model_id": str(model.id),
        "task_id": str(run.id),
        "draft_id": str(UUID(int=5)),
        "parent_id": str(run.id),
        "export_id": str(UUID(int=6)),
        "upload_id": str(UUID(int=7)),
        "target_id": str(UUID(int=8)),
        "view_id": str(view.id),
        "validation_dataset_id": str(new_id()),
        "version": "1",
    }


def _place(path: str, known: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: known[found[1]], path)


class Thrower:
    """Sends, and collects what should not have been answered."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.sent = 0
        self.wrong: list[str] = []

    async def throw(self, method: str, url: str, **request: Any) -> None:
        answer = await self._client.request(method, url, **request)
        self.sent += 1
        said = f"{answer.status_code} {method} {url[:150]} {str(request)[:200]}"
        if answer.status_code >= 500:
            self.wrong.append(said)
        elif answer.status_code >= 400:
            kind = answer.headers.get("content-type", "")
            # The answer to HEAD has no body.
            if kind != PROBLEM_MEDIA_TYPE or not (method == "head" or answer.json()["detail"]):
                self.wrong.append(f"no problem document: {said}")


@pytest.fixture
def thrower(client: httpx.AsyncClient) -> Thrower:
    return Thrower(client)


async def test_addresses(app: FastAPI, thrower: Thrower, known: dict[str, str]) -> None:
    for method, path, operation in operations():
        # Deleting what is there would leave nothing to throw at.
        sends = method if method != "delete" else "get"
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            for value in IN_ADDRESS:
                if parameter["in"] == "path":
                    url = _place(path.replace("{" + name + "}", "VALUE"), known)
                    await thrower.throw(sends, url.replace("VALUE", value))
                elif parameter["in"] == "query":
                    needed = "" if name in {"model_id", "dataset_id"} else _needed(operation, known)
                    await thrower.throw(sends, f"{_place(path, known)}?{name}={value}&{needed}")
                else:
                    raw = value.encode("latin-1", "replace")[:200] or b" "
                    headers = [(name.encode(), raw), (name.encode(), b"\xff\xfe")]
                    await thrower.throw(sends, _place(path, known), headers=headers)
    assert thrower.wrong == []
    assert thrower.sent > 1500


def _needed(operation: dict[str, Any], known: dict[str, str]) -> str:
    values = {**known, "with_dataset_id": known["dataset_id"], "against": "1", "format": "jsonl"}
    return "&".join(
        f"{p['name']}={quote(values[p['name']])}"
        for p in operation.get("parameters", [])
        if p["in"] == "query" and p.get("required")
    )


async def test_fields_of_bodies(app: FastAPI, thrower: Thrower, known: dict[str, str]) -> None:
    for method, path, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        body = _sample(content["application/json"]["schema"], known)
        if not body:
            continue
        for number, rubbish in enumerate(_with_rubbish(body)):
            if path.endswith("/auth/login") and number % 8:
                continue  # each costs a password's worth of hashing
            raw = json.dumps(rubbish).encode()
            await thrower.throw(
                method,
                _place(path, known),
                content=raw,
                headers={"Content-Type": "application/json"},
            )
    assert thrower.wrong == []
    assert thrower.sent > 1000


async def test_whole_bodies_and_their_types(
    app: FastAPI, thrower: Thrower, known: dict[str, str]
) -> None:
    for method, path, _ in operations():
        if method not in {"post", "put", "patch"}:
            continue
        url = _place(path, known)
        for raw in WHOLE_BODIES:
            for media_type in ("application/json", "multipart/form-data; boundary=x"):
                headers = {"Content-Type": media_type}
                await thrower.throw(method, url, content=raw, headers=headers)
        for media_type in MEDIA_TYPES:
            headers_ = [(b"Content-Type", media_type.encode("latin-1"))]
            await thrower.throw(method, url, content=b'{"name": "x"}', headers=headers_)
        await thrower.throw(
            method,
            url,
            content=b'"' + b"x" * 10_000_000 + b'"',
            headers={"Content-Type": "application/json"},
        )
    assert thrower.wrong == []


async def test_forms(app: FastAPI, thrower: Thrower) -> None:
    texts = [
        "",
        "\x00",
        "a\x00b",
        "\u202e",
        "x" * 6000,
        "-1",
        "1e400",
        "9" * 30,
        "{}",
        "[]",
        "null",
    ]
    texts += ['{"record_type": "conversational", "columns": {"messages": "\\u0000"}}', '{"a":']
    for name in ("name", "description", "mapping", "max_dropped_rows", "nothing", "", "\x00"):
        for text in texts:
            for filename in (
                "a.jsonl",
                "..\\..\\x",
                "\x00",
                "\u202e.exe",
                "x" * 500,
                "a\r\nb",
                "🦙",
            ):
                await thrower.throw(
                    "POST",
                    "/api/v1/datasets",
                    files={"file": (filename, b'{"text": "a"}\n')},
                    data={name: text},
                )
    dashes = [
        b"--x\r\n",
        b"--x--\r\n",
        b"--x\r\nContent-Disposition\r\n\r\n",
        b"--x\r\n\r\n--x--\r\n",
    ]
    dashes += [b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xff\r\n--x--\r\n']
    dashes += [b"--x\r\nContent-Disposition: form-data; filename=\r\n\r\na\r\n--x--\r\n"]
    dashes += [
        b"--x\r\nContent-Disposition: form-data; name=file; filename*=x\r\n\r\na\r\n--x--\r\n"
    ]
    for body in dashes:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        await thrower.throw("POST", "/api/v1/datasets", content=body, headers=headers)
    assert thrower.wrong == []


async def test_pages(app: FastAPI, client: httpx.AsyncClient) -> None:
    for path in (
        "%00",
        "a%00b",
        "%ff",
        "..%2f..%2fetc/passwd",
        "x" * 5000,
        "assets/%00",
        "%ed%a0%80",
    ):
        answer = await client.get(f"/{path}")
        assert answer.status_code in {200, 404, 503}, path
        assert b"root:" not in answer.content


HEADER_NAMES = [
    *("Origin", "Host", "Cookie", "Authorization", "Range", "If-None-Match", "If-Modified-Since"),
    *("If-Range", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Request-ID", "Accept"),
    *("Sec-Fetch-Site", "X-EasyTune", "Content-Type", "Content-Length", "Last-Event-ID", "Referer"),
    *("Idempotency-Key", "User-Agent", "Accept-Encoding", "Transfer-Encoding", "Expect"),
]
HEADER_VALUES = [
    *(b"", b" ", b"http://[", b"http://[::1", b"http://a:b:c", b"//", b"null", b"\xff\xfe", b"-1"),
    *(
        b"\xb2",
        b"9" * 5000,
        b"Bearer ",
        b"Bearer \xff.\xff.\xff",
        b"Bearer a.b.c",
        b"bearer e30.e30.",
    ),
    *(
        b"bytes=-",
        b"bytes=9-1",
        b"bytes=0-" + b"9" * 400,
        b"bytes=" + b"0-0," * 500,
        b"easytune=\xff",
    ),
    *(b"easytune=" + b"x" * 5000, b"=;=;", b'W/"', b"Mon, 99 Foo 0000", b"::1", b"1.2.3.4, \xff"),
    *(b"multipart/form-data; boundary=" + b"x" * 5000, b"text/html; charset=\xff", b"[]:99999999"),
]


async def test_headers(app: FastAPI, thrower: Thrower, known: dict[str, str]) -> None:
    calls = [
        ("GET", "/api/v1/tasks"),
        ("GET", "/api/v1/tasks/{task_id}/logs/stream"),
        ("GET", "/api/v1/tasks/{task_id}/logs/download"),
        ("PATCH", "/api/v1/tasks/{task_id}"),
        ("POST", "/api/v1/datasets"),
        ("POST", "/api/v1/auth/setup"),
        ("GET", "/api/v1/datasets/{dataset_id}/file"),
    ]
    for method, path in calls:
        for name in HEADER_NAMES:
            for value in HEADER_VALUES:
                headers = [(name.encode(), value)]
                await thrower.throw(method, _place(path, known), content=b"{}", headers=headers)
    assert thrower.wrong == []


async def test_methods(app: FastAPI, thrower: Thrower, known: dict[str, str]) -> None:
    for path in DOCUMENT["paths"]:
        for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "CONNECT", "BREW", "get"):
            if path.startswith("/api/v1") and method not in {"HEAD"}:
                await thrower.throw(method, _place(path, known))
    assert thrower.wrong == []
