"""What can not be kept is refused with its place, before anything looks at it."""

import json
from typing import Any

import httpx
import pytest

from backend.storable import is_storable, wrong_values

HEADERS = {"Content-Type": "application/json"}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a\x00b", "unstorable_text"),
        ("\ud800", "unstorable_text"),
        ("a \udfff", "unstorable_text"),
        ({"\x00": 1}, "unstorable_text"),
        (2**63, "number_too_large"),
        (-(2**63) - 1, "number_too_large"),
        (float("nan"), "number_not_finite"),
        (float("-inf"), "number_not_finite"),
        (nested(80), "nested_too_deeply"),
    ],
)
def test_what_can_not_be_kept(value: Any, kind: str) -> None:
    [error] = wrong_values({"list": [1, value]})
    assert error["type"] == kind
    assert error["loc"][:3] == ("body", "list", 1)
    assert all(isinstance(part, int) or is_storable(part) for part in error["loc"])


def test_what_can() -> None:
    assert wrong_values({"🦙": ["é\n\t", 2**63 - 1, -1.5, True, None, nested(40)]}) == []


def test_a_thousand_wrong_values_are_told_as_ten() -> None:
    assert len(wrong_values(["\x00"] * 1000)) == 10


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x\udfff"])
async def test_bodies(client: httpx.AsyncClient, text: str) -> None:
    for body, pointer in (
        ({"values": {"name": text}}, "/values/name"),
        ({"values": {"rows": [{"deep": text}]}}, "/values/rows/0/deep"),
    ):
        answer = await client.post(
            "/api/v1/tasks/drafts", content=json.dumps(body), headers=HEADERS
        )
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == (pointer, "unstorable_text")


async def test_numbers_that_json_does_not_have(client: httpx.AsyncClient) -> None:
    for raw in ("NaN", "1e999", "9" * 30):
        answer = await client.post(
            "/api/v1/tasks/drafts", content=f'{{"values": {{"a": {raw}}}}}', headers=HEADERS
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "InvalidRequest")


async def test_searches(client: httpx.AsyncClient) -> None:
    for path in ("datasets", "models", "tasks"):
        answer = await client.get(f"/api/v1/{path}?q=a%00b")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/q"


async def test_forms(client: httpx.AsyncClient) -> None:
    mapping = '{"record_type": "conversational", "columns": {"messages": "\\u0000"}}'
    for form, pointer in (
        ({"name": "a\x00b"}, "/name"),
        ({"mapping": mapping}, "/mapping/columns/messages"),
    ):
        answer = await client.post("/api/v1/datasets", files={"file": ("a", b"x")}, data=form)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_an_upload_is_not_collected_by_the_check(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from starlette.requests import Request

    async def body(_request: Request) -> bytes:
        raise AssertionError("somebody read the whole body")

    monkeypatch.setattr(Request, "body", body)
    answer = await client.post("/api/v1/datasets", files={"file": ("a.txt", b"x")})
    assert answer.status_code == 202
