"""Connections that break and servers that die in the middle: what came is kept, nothing else."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import psutil
import pytest
from fastapi import FastAPI

from backend.accounts.schemas import Role
from backend.database import make_engine, make_sessions
from backend.datasets.uploading import parts, quarantine
from backend.middleware import body_limits
from backend.settings import PROJECT_ROOT, Settings
from tests.backend.datasets.uploading.tus import (
    DATASETS,
    TUS,
    UPLOADS,
    begin,
    checksum,
    offset_of,
    send,
)
from tests.conftest import cookie_of, make_user

MB = 1 << 20
BLOCK = os.urandom(MB)


async def blocks(
    count: int, pause_after: int | None = None, pause_s: float = 60
) -> AsyncIterator[bytes]:
    """So many megabytes; after `pause_after` of them the line falls silent."""
    for number in range(count):
        if number == pause_after:
            await asyncio.sleep(pause_s)
        yield BLOCK


@dataclass
class Server:
    """A server process and a client that is signed in there."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def serving(url: str, data_dir: Path, cookie: str) -> AsyncIterator[Server]:
    script = Path(__file__).with_name("server.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, url, data_dir,
        stdout=asyncio.subprocess.PIPE,
        cwd=PROJECT_ROOT,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    draining = asyncio.create_task(process.stdout.read())
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            cookies={"easytune": cookie},
            headers={"X-EasyTune": "1"},
            timeout=60,
        ) as client:
            yield Server(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        draining.cancel()


@pytest.fixture
async def cookie(fresh_database: str) -> str:
    """Of a user in the database of this test alone."""
    engine = make_engine(fresh_database)
    sessions = make_sessions(engine)
    secret = await cookie_of(sessions, await make_user(sessions, "ada", Role.MEMBER))
    await engine.dispose()
    return secret


async def reached(client: httpx.AsyncClient, url: str, offset: int) -> None:
    """Wait until so much is safe."""
    for _ in range(600):
        if await offset_of(client, url) >= offset:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{offset} bytes were never safe")


async def test_killed_at_37_percent_and_started_again(
    fresh_database: str, tmp_path: Path, cookie: str
) -> None:
    size, sent = 100, 37
    whole = hashlib.sha256(BLOCK * size).hexdigest()
    async with serving(fresh_database, tmp_path, cookie) as server:
        url = await begin(server.client, size * MB, "big.jsonl", sha256=whole)
        sending = asyncio.create_task(send(server.client, url, 0, blocks(size, pause_after=sent)))
        await reached(server.client, url, 32 * MB)
        await server.kill()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    async with serving(fresh_database, tmp_path, cookie) as server:
        offset = await offset_of(server.client, url)
        assert 32 * MB <= offset <= sent * MB
        rest = (BLOCK * size)[offset:]
        half = await send(
            server.client, url, offset, rest[:MB], Upload_Checksum=checksum(rest[:MB])
        )
        assert half.status_code == 204
        answer = await send(server.client, url, offset + MB, rest[MB:])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(size * MB))
        (done,) = (await server.client.get(UPLOADS)).json()["items"]
        assert done["sha256"] == whole
        stored = await server.client.post(DATASETS, json={"uploads": [done["id"]]})
        assert stored.status_code == 202
    file = tmp_path / "datasets" / stored.json()["id"] / "upload"
    with file.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == whole


async def test_memory_stays_flat(fresh_database: str, tmp_path: Path, cookie: str) -> None:
    async with serving(fresh_database, tmp_path, cookie) as server:
        warm = await begin(server.client, 2 * MB)
        await send(server.client, warm, 0, blocks(2))
        process, peak = psutil.Process(server.process.pid), 0
        before = process.memory_info().rss

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, process.memory_info().rss)
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        plain, checked = [await begin(server.client, 300 * MB) for _ in range(2)]
        assert (await send(server.client, plain, 0, blocks(300))).status_code == 204
        said = checksum(BLOCK * 100)
        part = await send(server.client, checked, 0, blocks(100), Upload_Checksum=said)
        assert part.status_code == 204
        form = {"file": ("a.txt", (BLOCK * 100))}
        assert (await server.client.post(DATASETS, files=form)).status_code == 202
        watching.cancel()
    assert peak - before < 100 * MB, f"{(peak - before) / MB:.0f} MB more"


async def test_a_cut_keeps_what_came(live_client: httpx.AsyncClient) -> None:
    url = await begin(live_client, 5 * MB)

    async def cut() -> AsyncIterator[bytes]:
        yield BLOCK + b"abc"
        await asyncio.sleep(0.3)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await send(live_client, url, 0, cut())
    await reached(live_client, url, MB + 3)
    assert await offset_of(live_client, url) == MB + 3
    # With a checksum that can not be looked at any more, nothing of the part counts.
    with pytest.raises(ConnectionResetError):
        await send(live_client, url, MB + 3, cut(), Upload_Checksum=checksum(b"x"))
    await asyncio.sleep(0.3)
    assert await offset_of(live_client, url) == MB + 3
    rest = await send(live_client, url, MB + 3, BLOCK)
    assert rest.status_code == 204, "the broken connections hold no lock"


async def test_what_is_safe_grows_while_a_part_comes_in(
    live_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "KEEP_S", 0.2)
    url = await begin(live_client, 3 * MB)
    goes_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield BLOCK
        for _ in range(3):  # it is looked at when something comes
            await asyncio.sleep(0.3)
            yield b"x"
        await goes_on.wait()
        yield BLOCK[3:] + BLOCK

    sending = asyncio.create_task(send(live_client, url, 0, slow()))
    await reached(live_client, url, MB)
    second = await send(live_client, url, await offset_of(live_client, url), b"y")
    assert (second.status_code, second.json()["code"]) == (423, "UploadBusy")
    goes_on.set()
    assert (await sending).headers["Upload-Offset"] == str(3 * MB)


async def test_taken_back_while_it_comes_in(
    live_client: httpx.AsyncClient, settings: Settings
) -> None:
    url = await begin(live_client, 40 * MB)
    goes_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield BLOCK
        await goes_on.wait()
        for _ in range(39):
            yield BLOCK

    sending = asyncio.create_task(send(live_client, url, 0, slow()))
    await asyncio.sleep(0.2)
    assert (await live_client.delete(url, headers=TUS)).status_code == 204
    goes_on.set()
    # The answer may come before all was sent, and the connection goes with it.
    with suppress(httpx.TransportError):
        assert (await sending).status_code == 404
    assert list(quarantine.folder_of(settings).iterdir()) == []


async def test_a_line_that_falls_silent(
    live_client: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limits, "SLOWEST_GAP_S", 0.3)
    url = await begin(live_client, 2 * MB)
    with suppress(httpx.TransportError):
        answer = await send(live_client, url, 0, blocks(2, pause_after=1, pause_s=2))
        assert answer.status_code == 408
    await reached(live_client, url, MB)
    assert await offset_of(live_client, url) == MB
    assert not (await send(live_client, url, MB, BLOCK)).is_error
    assert UUID(url.rsplit("/", 1)[1]) not in app.state.upload_desk.digests._followings
