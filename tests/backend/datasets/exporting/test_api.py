"""Exports through the API: what is sent and how, refusals, and children that end."""

import asyncio
import json
from contextlib import suppress

import httpx
import psutil
import pytest

from backend.datasets.exporting import desk
from backend.datasets.exporting.desk import disposition
from tests.backend.datasets.conftest import API, Import

LINES = "".join(
    json.dumps({"instruction": f"Question {n}", "output": f"Answer {n}", "id": n}) + "\n"
    for n in range(20)
)
CALLS = json.dumps(
    {
        "messages": [
            {"role": "user", "content": "Q"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}],
            },
        ]
    }
)


async def test_a_file_is_sent_to_be_saved(upload: Import, client: httpx.AsyncClient) -> None:
    dataset = await upload("a.jsonl", LINES, name='Grüße/"好"; x')
    path = f"{API}/{dataset['id']}/export"
    answer = await client.get(path, params={"format": "openai"})
    assert answer.status_code == 200, answer.text
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert len(rows) == 20
    assert rows[3]["messages"][1] == {"role": "assistant", "content": "Answer 3"}
    headers = answer.headers
    assert headers["content-disposition"] == (
        'attachment; filename="Gr__e_____ x-v1.jsonl"; '
        "filename*=UTF-8''Gr%C3%BC%C3%9Fe__%E5%A5%BD_%3B%20x-v1.jsonl"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    types = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
    for form, kind in types.items():
        answer = await client.get(path, params={"format": form})
        assert answer.headers["content-type"] == kind
        assert f".{form}" in answer.headers["content-disposition"]
    assert desk._running == set()


async def test_refusals_come_before_the_first_byte(
    upload: Import, client: httpx.AsyncClient
) -> None:
    plain = json.dumps(
        {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
    )
    dataset = await upload("a.jsonl", "\n".join([plain, CALLS, plain, CALLS]))
    path = f"{API}/{dataset['id']}/export"
    refused = await client.get(path, params={"format": "alpaca"})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (400, "CanNotBeExpressed")
    params = problem["params"]
    assert (params["count"], params["rows"], params["reason_code"]) == (2, "2, 4", "tool_calls")
    assert "tool calls have no place here" in problem["detail"]
    assert (await client.get(path, params={"format": "openai"})).status_code == 200
    for params, status, code in (
        ({"format": "jsonl", "split": "test"}, 404, "NoSuchSplit"),
        ({"format": "jsonl", "version": 7}, 404, "DatasetVersionNotFound"),
        ({"format": "exe"}, 422, "InvalidRequest"),
        ({}, 422, "InvalidRequest"),
    ):
        answer = await client.get(path, params=params)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    unknown = await upload("b.jsonl", '{"foo": 1, "bar": 2}\n')
    assert unknown["status"] == "needs_mapping"
    refused = await client.get(f"{API}/{unknown['id']}/export", params={"format": "jsonl"})
    assert (refused.status_code, refused.json()["code"]) == (409, "NotExportable")
    assert desk._running == set()


async def test_rows_are_looked_at_once(
    upload: Import, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []
    verdict = desk._verdict

    async def listened(process: desk.Process, request: dict[str, object]) -> dict[str, object]:
        asked.append(request)
        return await verdict(process, request)

    monkeypatch.setattr(desk, "_verdict", listened)
    dataset = await upload("a.csv", "text,label,id\nOne,a,1\nTwo,b,2\n")
    path = f"{API}/{dataset['id']}/export"
    for form in ("csv", "parquet"):
        first = await client.get(path, params={"format": form})
        again = await client.get(path, params={"format": form})
        assert first.status_code == 200, first.text
        assert first.content == again.content
        assert len(first.content) > 20
        before, after = asked[-2:]
        assert ("known" in before, "known" in after) == (False, True)
    # What can not be done is known without a child.
    for _ in range(2):
        refused = await client.get(path, params={"format": "alpaca"})
        assert refused.json()["params"]["reason_code"] == "text_without_turns"
    assert len(asked) == 5
    # Another part of the rows is another question.
    missing = await client.get(path, params={"format": "csv", "split": "x"})
    assert missing.json()["code"] == "NoSuchSplit"


async def test_the_child_ends_with_whoever_reads(
    upload: Import, live_client: httpx.AsyncClient
) -> None:
    big = "".join(
        json.dumps({"instruction": f"Question {n}", "output": "A" * 4000}) + "\n"
        for n in range(10_000)
    )
    dataset = await upload("a.jsonl", big)
    path = f"{API}/{dataset['id']}/export?format=jsonl"
    async with live_client.stream("GET", path) as answer:
        assert answer.status_code == 200
        async for _block in answer.aiter_raw(1000):
            break
        (process,) = desk._running
        child = psutil.Process(process.pid)
        assert child.is_running()
    for _ in range(200):
        if not desk._running:
            break
        await asyncio.sleep(0.05)
    assert desk._running == set()
    assert not child.is_running()
    whole = await live_client.get(path)
    assert len(whole.text.splitlines()) == 10_000


async def test_a_broken_export_is_not_taken_for_a_whole_one(
    upload: Import, live_client: httpx.AsyncClient
) -> None:
    big = "".join(
        json.dumps({"instruction": f"Question {n}", "output": "A" * 4000}) + "\n"
        for n in range(10_000)
    )
    dataset = await upload("a.jsonl", big)
    path = f"{API}/{dataset['id']}/export?format=jsonl"

    async def read() -> None:
        async with live_client.stream("GET", path) as answer:
            async for _block in answer.aiter_raw(1000):
                for process in list(desk._running):
                    with suppress(ProcessLookupError):  # it may be gone by now
                        process.kill()

    with pytest.raises(httpx.RemoteProtocolError):
        await read()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a.csv", "a.csv"),
        ('x"; filename=evil.exe', "x__ filename=evil.exe"),
        ("a\r\nSet-Cookie: b", "a__Set-Cookie_ b"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("好%41", "__41"),
    ],
)
def test_a_name_is_only_a_name(name: str, plain: str) -> None:
    found = disposition(name)
    assert found.startswith(f"attachment; filename=\"{plain}\"; filename*=UTF-8''")
    assert found.isascii()
    assert found.isprintable()


async def test_more_exports_than_allowed_have_to_wait(
    upload: Import, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = await upload("a.jsonl", LINES)
    monkeypatch.setattr(desk, "MAX_EXPORTS", 0)
    refused = await client.get(f"{API}/{dataset['id']}/export?format=jsonl")
    assert (refused.status_code, refused.json()["code"]) == (503, "ExportsBusy")
    assert refused.headers["retry-after"] == "10"
