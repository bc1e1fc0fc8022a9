"""Data sets over HTTP: upload, look, map, allow, delete; and who may."""

import asyncio
import csv
import io
import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.datasets import files
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading import quarantine
from backend.settings import Settings
from tests.backend.datasets.conftest import API, Import, run_import
from tests.conftest import SignIn

ROWS = [
    {
        "messages": [
            {"role": "user", "content": f"Question {n}"},
            {"role": "assistant", "content": "A"},
        ]
    }
    for n in range(250)
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
BROKEN = LINES + '{"messages": []}\n{broken\n'


async def count(sessions: SessionFactory) -> int:
    async with transaction(sessions) as session:
        return await session.scalar(select(func.count()).select_from(DatasetRow)) or 0


def left_over(settings: Settings) -> list[str]:
    return [p.name for p in settings.datasets_dir.rglob("*") if p.is_file()]


async def test_upload_import_and_look(upload: Import, client: httpx.AsyncClient) -> None:
    dataset = await upload("Support chats.jsonl", LINES, description="What we said")
    assert (dataset["status"], dataset["version"]) == ("ready", 1)
    assert (dataset["name"], dataset["filename"]) == ("Support chats", "Support chats.jsonl")
    assert (dataset["format"], dataset["record_type"]) == ("openai_messages", "conversational")
    assert (dataset["num_rows"], dataset["size_bytes"]) == (250, len(LINES))
    assert dataset["counts"] == {"kept": 250, "repaired": 0, "truncated": 0, "dropped": 0}
    assert dataset["progress"] is None
    url = f"{API}/{dataset['id']}"
    page = (await client.get(f"{url}/rows", params={"offset": 248})).json()
    assert (page["total"], page["offset"]) == (250, 248)
    assert [(row["index"], row["line"]) for row in page["items"]] == [(248, 249), (249, 250)]
    assert page["items"][0]["record"]["messages"] == ROWS[248]["messages"]
    beyond = (await client.get(f"{url}/rows", params={"offset": 250})).json()
    assert (beyond["items"], beyond["total"]) == ([], 250)
    numbers = (await client.get(f"{url}/statistics")).json()
    assert numbers["num_turns"] == {"2": 250}
    assert numbers["roles"] == {"user": 250, "assistant": 250}
    assert numbers["fields"][0]["name"] == "messages"
    assert numbers["fields"][0]["types"] == {"array": 250}
    assert sum(b["count"] for b in numbers["lengths"]) == 250
    file = await client.get(f"{url}/file")
    assert file.text == LINES
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in file.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("q", "expected"),
    [("question 24", 11), ("QUESTION 249", 1), ("messages", 0), ("assistant", 0), ("100%", 0)],
)
async def test_search_looks_at_texts_only(
    upload: Import, client: httpx.AsyncClient, q: str, expected: int
) -> None:
    dataset = await upload("a.jsonl", LINES)
    answer = await client.get(f"{API}/{dataset['id']}/rows", params={"q": q, "limit": 5})
    page = answer.json()
    assert page["total"] == expected
    assert all(q.lower() in json.dumps(row).lower() for row in page["items"])
    assert len(page["items"]) == min(5, expected)


async def test_dropped_rows_block_until_they_are_allowed(
    upload: Import, client: httpx.AsyncClient
) -> None:
    dataset = await upload("a.jsonl", BROKEN)
    assert dataset["status"] == "blocked"
    assert dataset["error"]["code"] == "too_many_dropped_rows"
    url = f"{API}/{dataset['id']}"
    report = (await client.get(f"{url}/report")).json()
    assert report["total_rows"] == 252
    assert report["counts"]["dropped"] == report["total_items"] == 2
    assert report["rules"] == {"missing_answer": 1, "broken_json": 1}
    assert [item["line"] for item in report["items"]] == [251, 252]
    assert report["items"][1]["byte_offset"] == BROKEN.index("{broken")
    only = (await client.get(f"{url}/report", params={"rule": "broken_json"})).json()
    assert [item["line"] for item in only["items"]] == [252]
    none = (await client.get(f"{url}/report", params={"action": "repaired"})).json()
    assert (none["items"], none["total_items"]) == ([], 0)
    download = await client.get(f"{url}/report/download")
    assert [json.loads(line)["line"] for line in download.text.splitlines()] == [251, 252]
    allowed = (await client.patch(url, json={"max_dropped_rows": 2})).json()
    assert (allowed["status"], allowed["error"], allowed["version"]) == ("ready", None, 1)
    again = (await client.patch(url, json={"max_dropped_rows": 1})).json()
    assert again["status"] == "blocked"


async def test_unreadable_file_fails_with_a_report(
    upload: Import, client: httpx.AsyncClient
) -> None:
    dataset = await upload("a.json", '[{"text": "a"},\n{"text": oops}]')
    assert (dataset["status"], dataset["num_rows"]) == ("failed", None)
    assert dataset["error"]["code"] == "broken_json"
    assert dataset["error"]["params"]["line"] == 2
    url = f"{API}/{dataset['id']}"
    report = (await client.get(f"{url}/report")).json()
    assert [item["line"] for item in report["items"]] == [2]
    assert (await client.get(f"{url}/rows")).json()["total"] == 0


async def test_mapping_is_asked_for_and_imports_again(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    table = "frage,antwort\n" + "".join(f"F{n},A{n}\n" for n in range(150))
    dataset = await upload("a.csv", table)
    assert (dataset["status"], dataset["columns"]) == ("needs_mapping", ["frage", "antwort"])
    url = f"{API}/{dataset['id']}"
    preview = (await client.get(f"{url}/rows", params={"limit": 1})).json()
    assert (preview["total"], preview["items"][0]["record"]) == (
        100,
        {"frage": "F0", "antwort": "A0"},
    )
    fields = (await client.get(f"{url}/statistics")).json()["fields"]
    assert [field["examples"][0] for field in fields] == ["F0", "A0"]
    mapping = {
        "record_type": "prompt_completion",
        "columns": {"prompt": "frage", "completion": "antwort"},
    }
    wrong = {**mapping, "columns": {"prompt": "frage", "completion": "nichts"}}
    refused = await client.patch(url, json={"mapping": wrong})
    assert (refused.status_code, refused.json()["code"]) == (400, "BadMapping")
    asked = await client.patch(url, json={"mapping": mapping})
    assert asked.json()["status"] == "importing"
    busy = await client.patch(url, json={"mapping": None})
    assert (busy.status_code, busy.json()["code"]) == (409, "DatasetBusy")
    await run_import(settings, sessions, dataset["id"])
    done = (await client.get(url)).json()
    assert (done["status"], done["num_rows"], done["version"]) == ("ready", 150, 1)
    assert done["mapping"]["columns"] == mapping["columns"]
    # From a ready version on, another mapping makes another version; the first stays.
    await client.patch(url, json={"mapping": {**mapping, "system_text": "Be brief"}})
    await run_import(settings, sessions, dataset["id"])
    assert (await client.get(url)).json()["version"] == 2
    for version in (1, 2):
        assert files.records_file(settings, UUID(dataset["id"]), version).is_file()
    row = (await client.get(f"{url}/rows", params={"limit": 1})).json()["items"][0]
    assert row["record"]["messages"][0] == {"role": "system", "content": "Be brief"}
    assert row["line"] == 2


@pytest.mark.parametrize(
    ("form", "status", "pointer"),
    [
        ({"mapping": "{"}, 422, "/mapping"),
        ({"mapping": '{"record_type": "x", "columns": {}}'}, 422, "/mapping/record_type"),
        (
            {"mapping": '{"record_type": "classification", "columns": {"text": "a"}}'},
            400,
            "/mapping/columns",
        ),
        ({"mapping": '{"record_type": "preference", "columns": {}}'}, 400, "/mapping/columns"),
        ({"max_dropped_rows": "-1"}, 422, "/max_dropped_rows"),
        ({"name": "x" * 201}, 422, "/name"),
        ({"owner_id": "x"}, 422, "/owner_id"),
    ],
)
async def test_bad_form_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
    form: dict[str, str],
    status: int,
    pointer: str,
) -> None:
    answer = await client.post(API, files={"file": ("a.jsonl", b"{}")}, data=form)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert left_over(settings) == []
    assert await count(sessions) == 0


async def test_what_is_not_a_file_is_refused(client: httpx.AsyncClient) -> None:
    hub = await client.post(API, json={"source": "huggingface", "reference": "a/b"})
    assert (hub.status_code, hub.json()["code"]) == (400, "DatasetHubOffline")
    empty = await client.post(API, data={"name": "x"}, files={"other": ("a", b"x")})
    assert (empty.status_code, empty.json()["code"]) == (400, "BadUpload")


async def test_upload_that_breaks_off_leaves_nothing(
    live_client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    seen = asyncio.Event()

    async def half() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        yield b"x" * 3_000_000
        while not list((settings.datasets_dir / "incoming").glob("*")):
            await asyncio.sleep(0.01)
        seen.set()
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await live_client.post(
            API, content=half(), headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
    assert seen.is_set()
    for _ in range(200):
        if not left_over(settings):
            break
        await asyncio.sleep(0.02)
    assert left_over(settings) == []
    assert await count(sessions) == 0


async def test_limits_of_size_and_disk(
    client: httpx.AsyncClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.max_upload_mb = 1
    large = await client.post(API, files={"file": ("a.txt", b"x" * 1_500_000)})
    assert (large.status_code, large.json()["code"]) == (413, "FileTooLarge")
    monkeypatch.setattr(quarantine, "RESERVE_BYTES", 1 << 60)
    full = await client.post(API, files={"file": ("a.txt", b"x")})
    assert (full.status_code, full.json()["code"]) == (507, "DiskFull")
    assert left_over(settings) == []


async def test_same_key_makes_one_data_set(
    client: httpx.AsyncClient, sessions: SessionFactory, settings: Settings
) -> None:
    async def send(content: bytes) -> httpx.Response:
        return await client.post(
            API, files={"file": ("a.jsonl", content)}, headers={"Idempotency-Key": "k1"}
        )

    first, second = await send(b"{}"), await send(b"{}")
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    assert await count(sessions) == 1
    assert (await send(b"[]")).status_code == 422
    assert left_over(settings) == ["upload"]


async def test_name_of_the_file_is_data_not_a_path(
    upload: Import, client: httpx.AsyncClient, settings: Settings
) -> None:
    dataset = await upload("../../etc/pass\u202ewd\x1b.jsonl", LINES)
    assert dataset["filename"] == "passwd.jsonl"
    folders = {p.name for p in settings.data_dir.iterdir() if p.is_dir()}
    assert folders <= {"datasets", "runs", "sockets"}
    assert not (settings.data_dir.parent / "etc").exists()


async def test_outcome_twice_is_the_same_as_once(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    from backend.datasets.importing import outcome

    dataset = (await client.post(API, files={"file": ("a.jsonl", LINES.encode())})).json()
    job = await run_import(settings, sessions, dataset["id"])
    async with transaction(sessions) as session:
        await outcome.apply(session, job)
    assert (await client.get(f"{API}/{dataset['id']}")).json()["status"] == "ready"


async def test_lists_filter_search_and_page(upload: Import, client: httpx.AsyncClient) -> None:
    for name in ("first", "second_50%", "third"):
        await upload(f"{name}.jsonl", LINES)
    await upload("broken.jsonl", "{oops")
    first = (await client.get(API, params={"limit": 3})).json()
    assert [d["name"] for d in first["items"]] == ["broken", "third", "second_50%"]
    rest = (await client.get(API, params={"cursor": first["next_cursor"]})).json()
    assert ([d["name"] for d in rest["items"]], rest["next_cursor"]) == (["first"], None)
    ready = (await client.get(API, params={"status": "ready", "q": "IR"})).json()
    assert [d["name"] for d in ready["items"]] == ["third", "first"]
    assert len((await client.get(API, params={"q": "50%"})).json()["items"]) == 1
    assert (await client.get(API, params={"cursor": "x"})).status_code == 400


async def test_rename_and_describe(upload: Import, client: httpx.AsyncClient) -> None:
    dataset = await upload("a.jsonl", LINES)
    url = f"{API}/{dataset['id']}"
    changed = (await client.patch(url, json={"name": " New ", "description": "d"})).json()
    assert (changed["name"], changed["description"], changed["status"]) == ("New", "d", "ready")
    assert changed["updated_at"] > dataset["updated_at"]
    assert (await client.patch(url, json={"status": "ready"})).status_code == 422


async def test_others_do_not_see_it_and_viewers_change_nothing(
    upload: Import, client: httpx.AsyncClient, sign_in: SignIn
) -> None:
    dataset = await upload("a.jsonl", LINES)
    url = f"{API}/{dataset['id']}"
    other = await sign_in("bob", Role.MEMBER)
    for call in ("", "/rows", "/report", "/report/download", "/statistics", "/file"):
        assert (await other.get(url + call)).status_code == 404
    assert (await other.patch(url, json={"name": "x"})).status_code == 404
    assert (await other.delete(url)).status_code == 404
    assert (await other.get(API)).json()["items"] == []
    viewer = await sign_in("eve", Role.VIEWER)
    refused = await viewer.post(API, files={"file": ("a.jsonl", b"{}")})
    assert refused.status_code == 403
    assert (await viewer.post(f"{API}/examples", json={"example": "sentiment"})).status_code == 403


async def test_examples_are_listed_and_import(
    client: httpx.AsyncClient, app: FastAPI, settings: Settings, sessions: SessionFactory
) -> None:
    listed = (await client.get(f"{API}/examples")).json()
    assert [e["id"] for e in listed] == [
        "customer-service",
        "sentiment",
        "preferences",
        "translation",
        "domain-qa",
    ]
    for example in listed:
        answer = await client.post(f"{API}/examples", json={"example": example["id"]})
        assert answer.status_code == 202
        await run_import(settings, sessions, answer.json()["id"])
        dataset = (await client.get(f"{API}/{answer.json()['id']}")).json()
        assert (dataset["status"], dataset["num_rows"]) == ("ready", example["num_rows"])
        expected = {"sentiment": "classification", "preferences": "preference"}
        assert dataset["record_type"] in {
            expected.get(example["id"], "conversational"),
            expected.get(example["id"], "prompt_completion"),
        }
        assert dataset["objectives"]
    unknown = await client.post(f"{API}/examples", json={"example": "../README"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "ExampleNotFound")


async def test_content_is_data_and_comes_back_unchanged(
    upload: Import, client: httpx.AsyncClient
) -> None:
    nasty = "<script>alert(1)</script> =cmd()|' /C calc'!A0 \u202e😀"
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["prompt", "completion"], [nasty, nasty]])
    dataset = await upload("a.csv", buffer.getvalue())
    row = (await client.get(f"{API}/{dataset['id']}/rows")).json()["items"][0]
    assert [m["content"] for m in row["record"]["messages"]] == [nasty, nasty]
