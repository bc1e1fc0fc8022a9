"""Finished uploads become data sets: all of them or none, without a second copy."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from backend.database import SessionFactory, transaction
from backend.datasets import files, service
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading import form, quarantine, storing
from backend.jobs import service as jobs
from backend.settings import Settings
from tests.backend.datasets.conftest import API, run_import
from tests.backend.datasets.uploading.tus import TUS, UPLOADS, begin, send, whole

LINES = b"".join(b'{"text": "row %d"}\n' % n for n in range(50))


def quarantined(settings: Settings) -> list[Path]:
    return list(quarantine.folder_of(settings).iterdir())


async def stored(sessions: SessionFactory, settings: Settings, dataset_id: str) -> list[Path]:
    async with transaction(sessions) as session:
        row = await session.get_one(DatasetRow, UUID(dataset_id))
    return [path for path, _ in files.stored_files(settings, row)]


async def test_an_upload_becomes_a_data_set(
    client: httpx.AsyncClient, sessions: SessionFactory, settings: Settings
) -> None:
    upload = await whole(client, LINES, "chats.jsonl")
    inode = quarantine.path_of(settings, UUID(upload)).stat().st_ino
    options = {"encoding": "utf-8", "documents": "file"}
    body: dict[str, Any] = {"uploads": [upload], "description": "d", "options": options}
    answer = await client.post(API, json=body)
    assert answer.status_code == 202, answer.text
    dataset = answer.json()
    assert (dataset["name"], dataset["filename"]) == ("chats", "chats.jsonl")
    assert (dataset["size_bytes"], dataset["files"]) == (len(LINES), [])
    assert dataset["same_as"] is None
    assert {k: v for k, v in dataset["options"].items() if v} == options
    (path,) = await stored(sessions, settings, dataset["id"])
    assert path == files.upload_file(settings, UUID(dataset["id"]))
    assert path.stat().st_ino == inode, "it was moved, not copied"
    assert path.stat().st_nlink == 1
    assert quarantined(settings) == []
    assert (await client.get(UPLOADS)).json()["items"] == []
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(dataset["id"]))
    assert job is not None
    assert job.spec["options"] == options
    assert job.spec["files"] == [{"path": str(path), "filename": "chats.jsonl"}]
    await run_import(settings, sessions, dataset["id"])
    done = (await client.get(f"{API}/{dataset['id']}")).json()
    assert (done["status"], done["num_rows"]) == ("ready", 50)


async def test_the_same_request_twice(client: httpx.AsyncClient, settings: Settings) -> None:
    body = {"uploads": [await whole(client, LINES)]}
    key = {"Idempotency-Key": "once"}
    first, second = [await client.post(API, json=body, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    other = await client.post(API, json={**body, "name": "x"}, headers=key)
    assert other.status_code == 422
    assert (await client.post(API, json=body)).status_code == 404, "it is used up"
    assert len((await client.get(API)).json()["items"]) == 1


async def test_all_or_nothing(
    client: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, half = await whole(client, LINES), await begin(client, 10)
    await send(client, half, 0, b"12345")
    ids = [done, half.rsplit("/", 1)[1]]
    refused = await client.post(API, json={"uploads": ids})
    assert (refused.status_code, refused.json()["code"]) == (409, "UploadUnfinished")
    assert refused.json()["params"] == {"filename": "a.jsonl", "offset": 5, "size": 10}
    wrong = {"record_type": "preference", "columns": {}}
    assert (await client.post(API, json={"uploads": [done], "mapping": wrong})).status_code == 400

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storing, "link", full)
    assert (await client.post(API, json={"uploads": [done]})).status_code == 507
    monkeypatch.undo()
    assert (await client.get(API)).json()["items"] == []
    assert len(quarantined(settings)) == 2
    folders = [p.name for p in settings.datasets_dir.iterdir()]
    assert folders == ["incoming"]
    assert (await client.post(API, json={"uploads": [done]})).status_code == 202


async def test_a_server_that_ended_before_it_had_hashed(
    client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    good, bad = await whole(client, LINES), await whole(client, LINES + b"\n")
    async with transaction(sessions) as session:
        await session.execute(text("UPDATE uploads SET sha256 = NULL"))
        digest = {"other": hashlib.sha256(LINES).hexdigest(), "id": UUID(bad)}
        changed = "UPDATE uploads SET declared_sha256 = :other WHERE id = :id"
        await session.execute(text(changed), digest)
    refused = await client.post(API, json={"uploads": [good, bad]})
    assert (refused.status_code, refused.json()["code"]) == (460, "FileChanged")
    assert (await client.post(API, json={"uploads": [good]})).status_code == 202
    async with transaction(sessions) as session:
        sums = list(await session.scalars(select(DatasetRow.upload_sha256)))
    assert sums == [digest["other"]]


async def test_several_files(
    client: httpx.AsyncClient, sessions: SessionFactory, settings: Settings
) -> None:
    info = json.dumps({"one": {"file_name": "one.json"}}).encode()
    contents = {"dataset_info.json": info, "one.json": b"[]", "two.jsonl": LINES}
    ids = [await whole(client, content, name) for name, content in contents.items()]
    form_files = [("file", (name, content)) for name, content in contents.items()]
    answers = [
        await client.post(API, json={"uploads": ids}),
        await client.post(API, files=form_files, data={"options": '{"delimiter": ";"}'}),
    ]
    for answer in answers:
        assert answer.status_code == 202, answer.text
        dataset = answer.json()
        assert (dataset["name"], dataset["filename"]) == ("one", "one.json")
        assert [f["filename"] for f in dataset["files"]] == list(contents)
        assert dataset["size_bytes"] == sum(map(len, contents.values()))
        paths = await stored(sessions, settings, dataset["id"])
        folder = settings.datasets_dir / dataset["id"] / "uploads"
        assert paths == [folder / str(n) for n in range(3)]
        assert [p.read_bytes() for p in paths] == list(contents.values())
        async with transaction(sessions) as session:
            job = await jobs.newest_of(session, UUID(dataset["id"]))
        assert job is not None
        assert job.spec["upload"] == str(folder)
        assert [f["filename"] for f in job.spec["files"]] == list(contents)
        url = f"{API}/{dataset['id']}/file"
        second = await client.get(url, params={"number": 2})
        assert second.content == LINES
        assert "two.jsonl" in second.headers["content-disposition"]
        assert (await client.get(url, params={"number": 3})).status_code == 404
    assert quarantined(settings) == []
    assert answers[1].json()["options"]["delimiter"] == ";"
    # Other options: not the same data set, but the same bytes on the disk.
    assert answers[1].json()["same_as"] is None
    both = [await stored(sessions, settings, a.json()["id"]) for a in answers]
    assert [p.stat().st_ino for p in both[0]] == [p.stat().st_ino for p in both[1]]


async def test_the_same_bytes_twice(
    client: httpx.AsyncClient, sessions: SessionFactory, settings: Settings
) -> None:
    async def add(content: bytes, **fields: str) -> dict[str, Any]:
        answer = await client.post(API, files={"file": ("a.jsonl", content)}, data=fields)
        assert answer.status_code == 202
        result: dict[str, Any] = answer.json()
        return result

    first, other = await add(LINES, name="First"), await add(LINES + b"\n")
    assert (first["same_as"], other["same_as"]) == (None, None)
    upload = await whole(client, LINES, "b.jsonl")
    again = (await client.post(API, json={"uploads": [upload]})).json()
    assert again["same_as"] == {"id": first["id"], "name": "First"}
    assert (await client.get(f"{API}/{again['id']}")).json()["same_as"]["id"] == first["id"]
    (one,), (two,) = [await stored(sessions, settings, d["id"]) for d in (first, again)]
    assert one.stat().st_ino == two.stat().st_ino
    mapping = '{"record_type": "language_modeling", "columns": {"text": "text"}}'
    assert (await add(LINES, mapping=mapping))["same_as"] is None
    assert (await client.delete(f"{API}/{first['id']}")).status_code == 204
    assert two.read_bytes() == LINES
    assert (await client.get(f"{API}/{again['id']}")).json()["same_as"] is None
    # The stored file was lost: the new one takes its place instead of a link to nothing.
    two.unlink()
    third = await add(LINES)
    assert (await stored(sessions, settings, third["id"]))[0].read_bytes() == LINES


async def test_other_options_read_it_again(
    client: httpx.AsyncClient, sessions: SessionFactory, settings: Settings
) -> None:
    dataset = (await client.post(API, files={"file": ("a.jsonl", LINES)})).json()
    await run_import(settings, sessions, dataset["id"])
    url = f"{API}/{dataset['id']}"
    changed = (await client.patch(url, json={"options": {"encoding": "gb18030"}})).json()
    assert (changed["status"], changed["options"]["encoding"]) == ("importing", "gb18030")
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(dataset["id"]))
    assert job is not None
    assert (job.spec["options"], job.spec["version"]) == ({"encoding": "gb18030"}, 2)
    await run_import(settings, sessions, dataset["id"])
    back = (await client.patch(url, json={"options": None})).json()
    assert back["options"] is None


@pytest.mark.long
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"uploads": []}, "/uploads"),
        ({"uploads": "x"}, "/uploads"),
        ({"uploads": ["x"]}, "/uploads/0"),
        ({"uploads": [str(UUID(int=1))] * 2}, "/"),
        ({"uploads": [str(UUID(int=1))] * 101}, "/uploads"),
        ({"uploads": [str(UUID(int=1))], "owner_id": "x"}, "/owner_id"),
        ({"uploads": [str(UUID(int=1))], "options": {"encodings": "x"}}, "/options/encodings"),
        ({"uploads": [str(UUID(int=1))], "name": "a\x00"}, "/name"),
        ([], "/"),
    ],
)
async def test_bodies_that_are_none(client: httpx.AsyncClient, body: Any, pointer: str) -> None:
    answer = await client.post(API, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.long
@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 5000, b'{"a": NaN}', b'"\\ud800"'])
async def test_json_that_is_none(client: httpx.AsyncClient, raw: bytes) -> None:
    answer = await client.post(API, content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


async def test_a_form_with_too_many_files(
    client: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form, "MAX_FILES", 2)
    files_ = [("file", (f"{n}.txt", b"x")) for n in range(3)]
    answer = await client.post(API, files=files_)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadUpload")
    assert quarantined(settings) == []


async def test_where_no_links_can_be_made_it_is_copied(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    for _ in range(2):
        upload = await whole(client, LINES)
        answer = await client.post(API, json={"uploads": [upload]})
        assert answer.status_code == 202
        (path,) = await stored(sessions, settings, answer.json()["id"])
        assert path.read_bytes() == LINES
        assert path.stat().st_mode & 0o777 == 0o600
    assert quarantined(settings) == []


@pytest.mark.long
async def test_two_at_once_use_it_once(client: httpx.AsyncClient) -> None:
    body = {"uploads": [await whole(client, LINES)]}
    answers = await asyncio.gather(*(client.post(API, json=body) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [202, 404, 404]
    assert (await client.get(UPLOADS, headers=TUS)).json()["items"] == []
    assert service.DESCRIBING_FILE == "dataset_info.json"
