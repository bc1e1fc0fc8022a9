"""tus 1.0.0 over HTTP: what is said, what is kept, and what is refused."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from starlette.datastructures import Headers

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.datasets.uploading import expiry, parts, protocol, quarantine
from backend.datasets.uploading.protocol import BadUploadHeader, WrongPartType
from backend.datasets.uploading.tables import UploadRow
from backend.settings import Settings
from tests.backend.datasets.uploading.tus import (
    PART,
    TUS,
    UPLOADS,
    begin,
    checksum,
    metadata,
    offset_of,
    send,
    whole,
)
from tests.conftest import SignIn

CONTENT = b'{"text": "hello"}\n' * 200


def on_disk(settings: Settings) -> list[int]:
    folder = quarantine.folder_of(settings)
    return sorted(path.stat().st_size for path in folder.iterdir())


async def rows(sessions: SessionFactory) -> list[UploadRow]:
    async with transaction(sessions) as session:
        return list(await session.scalars(select(UploadRow)))


async def test_what_the_server_can(client: httpx.AsyncClient, settings: Settings) -> None:
    settings.max_upload_mb = 7
    answer = await client.options(UPLOADS)
    assert (answer.status_code, answer.headers["Tus-Resumable"]) == (204, "1.0.0")
    assert answer.headers["Tus-Version"] == "1.0.0"
    extensions = set(answer.headers["Tus-Extension"].split(","))
    assert extensions == {"creation", "checksum", "expiration", "termination"}
    assert answer.headers["Tus-Max-Size"] == "7000000"
    assert set(answer.headers["Tus-Checksum-Algorithm"].split(",")) >= {"sha1", "sha256"}


async def test_a_file_in_parts(client: httpx.AsyncClient, sessions: SessionFactory) -> None:
    url = await begin(client, len(CONTENT), "große Datei.jsonl", note="x")
    assert url.startswith(f"{UPLOADS}/")
    first = await send(client, url, 0, CONTENT[:1000])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "1000")
    look = await client.head(url, headers=TUS)
    assert (look.status_code, look.headers["Upload-Offset"]) == (200, "1000")
    assert look.headers["Upload-Length"] == str(len(CONTENT))
    assert look.headers["Cache-Control"] == "no-store"
    assert look.headers["Upload-Metadata"] == metadata(filename="große Datei.jsonl", note="x")
    left = parsedate_to_datetime(look.headers["Upload-Expires"])
    (row,) = await rows(sessions)
    assert abs(left - row.progressed_at - timedelta(hours=24)) < timedelta(seconds=2)
    last = await send(client, url, 1000, CONTENT[1000:], Upload_Checksum=checksum(CONTENT[1000:]))
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(CONTENT)))
    (row,) = await rows(sessions)
    assert row.sha256 == hashlib.sha256(CONTENT).hexdigest()
    listed = (await client.get(UPLOADS)).json()["items"]
    assert [(u["filename"], u["offset_bytes"]) for u in listed] == [
        ("große Datei.jsonl", len(CONTENT))
    ]
    assert listed[0]["metadata"]["note"] == "x"
    again = await send(client, url, len(CONTENT), b"")
    assert again.status_code == 204, "the client may not have heard that it was the last one"


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
@pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1"])
async def test_other_versions_are_sent_away(
    client: httpx.AsyncClient, method: str, version: str | None
) -> None:
    url = await begin(client, 10)
    headers = {"Tus-Resumable": version} if version else {}
    headers |= {"Content-Type": PART, "Upload-Offset": "0"} if method == "PATCH" else {}
    answer = await client.request(method, UPLOADS if method == "POST" else url, headers=headers)
    assert answer.status_code == 412
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert await offset_of(client, url) == 0


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
async def test_a_part_with_a_wrong_checksum_leaves_nothing(
    client: httpx.AsyncClient, algorithm: str
) -> None:
    url = await begin(client, len(CONTENT))
    await send(client, url, 0, CONTENT[:100])
    garbled = b"X" + CONTENT[101:3000]
    said = checksum(CONTENT[100:3000], algorithm)
    answer = await send(client, url, 100, garbled, Upload_Checksum=said)
    assert (answer.status_code, answer.json()["code"]) == (460, "ChecksumMismatch")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert await offset_of(client, url) == 100
    right = await send(client, url, 100, CONTENT[100:3000], Upload_Checksum=said)
    assert right.status_code == 204
    assert (await send(client, url, 3000, CONTENT[3000:])).status_code == 204


@pytest.mark.parametrize("said", ["crc32 AAAA", "sha256", "sha256 !!", "sha256 AAAA", ""])
async def test_a_checksum_that_is_none(client: httpx.AsyncClient, said: str) -> None:
    url = await begin(client, 10)
    answer = await send(client, url, 0, b"x", Upload_Checksum=said)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadUploadHeader")
    assert await offset_of(client, url) == 0


async def test_a_wrong_offset(client: httpx.AsyncClient) -> None:
    url = await begin(client, 10)
    await send(client, url, 0, b"12345")
    for wrong in (0, 4, 6, 10, 10**17):
        answer = await send(client, url, wrong, b"x")
        assert (answer.status_code, answer.json()["code"]) == (409, "WrongOffset")
        assert answer.headers["Upload-Offset"] == "5"
    for nonsense in ("", "-1", "5.0", "٥", "0x5", "9" * 30):
        said = {**TUS, "Content-Type": PART, "Upload-Offset": nonsense.encode()}
        answer = await client.patch(url, content=b"x", headers=said)  # type: ignore[arg-type]
        assert answer.status_code == 400
    kind = await send(client, url, 5, b"x", Content_Type="application/json")
    assert kind.status_code == 415
    assert await offset_of(client, url) == 5


async def test_more_than_was_announced(client: httpx.AsyncClient) -> None:
    url = await begin(client, 10)
    answer = await send(client, url, 0, b"12345678901")
    assert (answer.status_code, answer.json()["code"]) == (400, "MoreThanPromised")
    assert await offset_of(client, url) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Length": "-1"},
        {"Upload-Length": "x"},
        {"Upload-Length": "5", "Upload-Defer-Length": "1"},
        {"Upload-Length": "5", "Upload-Metadata": "filename !!!"},
        {"Upload-Length": "5", "Upload-Metadata": "filename YQ==,filename YQ=="},
        {"Upload-Length": "5", "Upload-Metadata": "filename /w=="},
        {"Upload-Length": "5", "Upload-Metadata": ","},
        {"Upload-Length": "5", "Upload-Metadata": metadata(sha256="ab")},
        {"Upload-Length": "5", "Upload-Metadata": metadata(filename="x" * 4000)},
    ],
)
async def test_an_announcement_that_is_none(
    client: httpx.AsyncClient, settings: Settings, headers: dict[str, str]
) -> None:
    answer = await client.post(UPLOADS, headers={**TUS, **headers})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadUploadHeader")
    assert on_disk(settings) == []


async def test_a_name_is_data_not_a_path(
    client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    await begin(client, 1, "../../etc/pass\u202ewd\x00.jsonl")
    assert [row.filename for row in await rows(sessions)] == ["passwd.jsonl"]


async def test_an_empty_file_is_finished_at_once(
    client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    await whole(client, b"")
    assert [row.sha256 for row in await rows(sessions)] == [hashlib.sha256(b"").hexdigest()]


async def test_a_changed_file_is_refused(client: httpx.AsyncClient, settings: Settings) -> None:
    url = await begin(client, 5, sha256=hashlib.sha256(b"12345").hexdigest())
    answer = await send(client, url, 0, b"12346")
    assert (answer.status_code, answer.json()["code"]) == (460, "FileChanged")
    assert (await client.head(url, headers=TUS)).status_code == 404
    assert on_disk(settings) == []
    right = await begin(client, 5, sha256=hashlib.sha256(b"12345").hexdigest().upper())
    assert (await send(client, right, 0, b"12345")).status_code == 204


async def test_taken_back(client: httpx.AsyncClient, settings: Settings) -> None:
    url = await begin(client, 10)
    await send(client, url, 0, b"12345")
    answer = await client.delete(url, headers=TUS)
    assert (answer.status_code, answer.headers["Tus-Resumable"]) == (204, "1.0.0")
    assert on_disk(settings) == []
    for gone in (
        await client.head(url, headers=TUS),
        await client.delete(url, headers=TUS),
        await send(client, url, 5, b"x"),
    ):
        assert (gone.status_code, gone.headers["Tus-Resumable"]) == (404, "1.0.0")
        assert "Upload-Offset" not in gone.headers


async def test_the_file_was_lost(client: httpx.AsyncClient, settings: Settings) -> None:
    url = await begin(client, 10)
    quarantine.path_of(settings, UUID(url.rsplit("/", 1)[1])).unlink()
    assert (await send(client, url, 0, b"x")).status_code == 404
    assert (await client.get(UPLOADS)).json()["items"] == []


async def test_methods_in_a_header(client: httpx.AsyncClient) -> None:
    url = await begin(client, 10)
    said = {**TUS, "X-HTTP-Method-Override": "PATCH", "Content-Type": PART, "Upload-Offset": "0"}
    answer = await client.post(url, content=b"12345", headers=said)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "5")
    refused = await client.post(url, headers={**TUS, "X-HTTP-Method-Override": "GET"})
    assert refused.status_code == 400
    gone = await client.post(url, headers={**TUS, "X-HTTP-Method-Override": "delete"})
    assert gone.status_code == 204
    assert (await client.head(url, headers=TUS)).status_code == 404


async def test_limits(
    client: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.max_upload_mb, settings.user_quota_mb = 3, 5

    async def ask(size: int) -> tuple[int, str]:
        answer = await client.post(UPLOADS, headers={**TUS, "Upload-Length": str(size)})
        return answer.status_code, "" if answer.status_code == 201 else answer.json()["code"]

    assert await ask(3_000_001) == (413, "FileTooLarge")
    assert await ask(3_000_000) == (201, "")
    # What is promised counts, though nothing has come yet.
    assert await ask(2_000_001) == (413, "QuotaExceeded")
    (first,) = (await client.get(UPLOADS)).json()["items"]
    form = await client.post("/api/v1/datasets", files={"file": ("a", b"x" * 2_000_001)})
    assert (form.status_code, form.json()["code"]) == (413, "QuotaExceeded")
    assert (await client.delete(f"{UPLOADS}/{first['id']}", headers=TUS)).status_code == 204
    assert await ask(2_000_001) == (201, "")
    monkeypatch.setattr(quarantine, "RESERVE_BYTES", 1 << 60)
    assert await ask(1) == (507, "DiskFull")


async def test_the_disk_is_promised_once(
    client: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(settings.data_dir).free
    monkeypatch.setattr(quarantine, "RESERVE_BYTES", free - 900_000_000)
    url = await begin(client, 600_000_000)
    second = {**TUS, "Upload-Length": "600000000"}
    assert (await client.post(UPLOADS, headers=second)).status_code == 507
    await client.delete(url, headers=TUS)
    assert (await client.post(UPLOADS, headers=second)).status_code == 201


async def test_the_disk_fills_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await begin(client, 10_000_000)
    monkeypatch.setattr(quarantine, "RESERVE_BYTES", 1 << 60)
    answer = await send(client, url, 0, b"x" * 3_000_000)
    assert (answer.status_code, answer.json()["code"]) == (507, "DiskFull")
    monkeypatch.undo()
    offset = await offset_of(client, url)
    assert offset <= 3_000_000, "what had come is kept"
    assert (await send(client, url, offset, b"x" * (10_000_000 - offset))).status_code == 204


async def test_left_alone_for_a_day(
    client: httpx.AsyncClient, app: FastAPI, settings: Settings, sessions: SessionFactory
) -> None:
    settings.user_quota_mb = 1
    old, young = await begin(client, 900_000), await begin(client, 10)
    await send(client, old, 0, b"12345")
    async with transaction(sessions) as session:
        await session.execute(
            text("UPDATE uploads SET progressed_at = now() - interval '25 hours' WHERE id = :id"),
            {"id": UUID(old.rsplit("/", 1)[1])},
        )
    assert (await client.head(old, headers=TUS)).status_code == 410
    assert (await send(client, old, 5, b"x")).status_code == 410
    assert [f"{UPLOADS}/{u['id']}" for u in (await client.get(UPLOADS)).json()["items"]] == [young]
    stray = quarantine.folder_of(settings) / "01890a5d-ac96-774b-bcce-b302099a8057"
    stray.write_bytes(b"left by a killed server")
    os.utime(stray, (1, 1))
    os.utime(quarantine.path_of(settings, UUID(young.rsplit("/", 1)[1])), (1, 1))
    fresh = quarantine.folder_of(settings) / "01890a5d-ac96-774b-bcce-b302099a8058"
    fresh.write_bytes(b"just coming in")
    await expiry.clear(app.state.upload_desk)
    assert (await client.head(old, headers=TUS)).status_code == 404
    assert sorted(p.name for p in quarantine.folder_of(settings).iterdir()) == sorted(
        [young.rsplit("/", 1)[1], fresh.name]
    )
    await begin(client, 900_000)  # there is room for it again


async def test_others_do_not_see_it_and_viewers_begin_none(
    client: httpx.AsyncClient, sign_in: SignIn, sessions: SessionFactory
) -> None:
    alice, bob = await sign_in("alice", Role.MEMBER), await sign_in("bob", Role.MEMBER)
    viewer = await sign_in("eve", Role.VIEWER)
    url = await begin(alice, 10)
    done = await whole(alice, b"{}")
    for other in (bob, viewer):
        answers = [
            await other.head(url, headers=TUS),
            await send(other, url, 0, b"x"),
            await other.delete(url, headers=TUS),
            await other.post(url, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}),
        ]
        assert [a.status_code for a in answers] == [404] * 4
        assert (await other.get(UPLOADS)).json()["items"] == []
    taken = await bob.post("/api/v1/datasets", json={"uploads": [done]})
    assert (taken.status_code, taken.json()["code"]) == (404, "UploadNotFound")
    refused = await viewer.post(UPLOADS, headers={**TUS, "Upload-Length": "1"})
    assert refused.status_code == 403
    assert await offset_of(alice, url) == 0
    async with transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(UploadRow)) == 2


async def test_a_page_of_another_site_sends_nothing(client: httpx.AsyncClient) -> None:
    url = await begin(client, 10)
    evil = await send(client, url, 0, b"x", Origin="https://evil.example")
    assert evil.status_code == 403
    del client.headers["X-EasyTune"]
    assert (await send(client, url, 0, b"x")).status_code == 403
    assert (await client.delete(url, headers=TUS)).status_code == 403


async def test_one_writer_at_a_time(client: httpx.AsyncClient, settings: Settings) -> None:
    url = await begin(client, 10)
    with parts.opened(quarantine.path_of(settings, UUID(url.rsplit("/", 1)[1]))):
        answer = await send(client, url, 0, b"x")
        assert (answer.status_code, answer.json()["code"]) == (423, "UploadBusy")
        assert await offset_of(client, url) == 0
    assert (await send(client, url, 0, b"x")).status_code == 204


def headers() -> Iterator[Any]:
    words = st.text(st.characters(codec="latin-1"), max_size=60)
    for name in ("Upload-Length", "Upload-Metadata", "Upload-Offset", "Upload-Checksum"):
        yield st.tuples(st.just(name), words)


@given(st.lists(st.one_of(*headers()), max_size=6))
def test_no_header_breaks_the_reading(found: list[tuple[str, str]]) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in found]
    said = Headers(raw=[*raw, (b"content-type", PART.encode())])
    for read in (protocol.creation_of, protocol.part_of):
        with suppress(BadUploadHeader, WrongPartType):
            read(said)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=40)))
def test_metadata_comes_back(values: dict[str, str]) -> None:
    values.pop("sha256", None)
    encodable = {k: v for k, v in values.items() if not any("\ud800" <= c <= "\udfff" for c in v)}
    assert protocol.metadata_of(metadata(**encodable)) == encodable
