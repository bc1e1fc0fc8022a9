"""The live log over a real socket: no line lost, none doubled, whatever breaks in between."""

import asyncio
import re
import socket
import time
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database import SessionFactory, transaction
from backend.jobs import service as jobs
from backend.jobs.log_file import read_backward, size_of
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.tasks import follow, sse
from backend.tasks.log_stream import LogSource
from backend.tasks.shared_reads import Batch
from tests.backend.tasks.conftest import MakeRun, Run
from tests.backend.tasks.sse_reader import Event, opened


def _path(run: Run) -> str:
    return f"/api/v1/tasks/{run.id}/logs/stream"


def _texts(events: list[Event]) -> list[str]:
    return [event.data["text"] for event in events if event.type == "line"]


async def test_history_then_live_then_the_end(
    live_client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log("one", "two")
    async with opened(live_client, _path(run)) as reader:
        first = await reader.take(2, "line")
        assert reader.retry_ms == 2000
        run.log("three")
        third = await reader.take(1, "line")
        await run.move(JobStatus.COMPLETED)
        last = await reader.rest()
    assert _texts(first + third) == ["one", "two", "three"]
    assert [event.data["number"] for event in first + third] == [1, 2, 3]
    assert all(event.id == event.data["id"] for event in first + third)
    assert [event.type for event in last] == ["end", "bye"]
    assert last[0].data == {"status": "COMPLETED", "attempt": 1}
    assert last[1].data == {"reason": "end"}


async def test_headers_forbid_buffering(live_client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run(JobStatus.STOPPED)
    async with opened(live_client, _path(run)) as reader:
        assert reader.response.headers["x-accel-buffering"] == "no"
        assert "no-cache" in reader.response.headers["cache-control"]
        await reader.until("bye")


async def test_a_cut_connection_goes_on_exactly_where_it_was(
    live_client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log(*(f"line {i}" for i in range(10)))
    async with opened(live_client, _path(run)) as reader:
        seen = await reader.take(4, "line")
    run.log(*(f"line {i}" for i in range(10, 20)))
    async with opened(live_client, _path(run), after=seen[-1].id) as reader:
        seen += await reader.take(9, "line")
    # The header of a browser that comes back by itself counts more than the address.
    async with opened(live_client, _path(run), seen[-1].id, after=seen[0].id) as reader:
        seen += await reader.take(7, "line")
    assert _texts(seen) == [f"line {i}" for i in range(20)]


async def test_it_goes_on_into_the_next_attempt(
    live_client: httpx.AsyncClient, make_run: MakeRun, sessions: SessionFactory
) -> None:
    run = await make_run(JobStatus.FAILED)
    run.log("first try", "crash")
    async with transaction(sessions) as session:
        await jobs.requeue(session, run.job_id, resume=False)
    async with opened(live_client, _path(run), after="1-") as reader:
        seen = await reader.take(2, "line")
        run.log("second try", attempt=2)
        seen += await reader.take(1, "line")
        await run.move(JobStatus.PREPARING, 2)
        await run.move(JobStatus.COMPLETED, 2)
        last = await reader.rest()
    assert [event.id.split("-")[0] for event in seen if event.id] == ["1", "1", "2"]
    assert _texts(seen) == ["first try", "crash", "second try"]
    assert last[0].data == {"status": "COMPLETED", "attempt": 2}
    async with opened(live_client, _path(run), attempt=1) as reader:
        only = await reader.rest()
    assert _texts(only) == ["first try", "crash"]
    async with opened(live_client, _path(run)) as reader:
        assert _texts(await reader.rest()) == ["second try"]


async def test_a_torn_line_is_sent_once_and_whole(
    live_client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log("whole")
    async with opened(live_client, _path(run)) as reader:
        await reader.take(1, "line")
        with run.folder().log_file.open("ab", buffering=0) as file:
            file.write(b"2026-01-01T12:00:01.000Z INFO out to")
            await asyncio.sleep(0.3)
            file.write(b"rn\n")
        assert _texts(await reader.take(1, "line")) == ["torn"]


async def test_who_falls_behind_is_told_what_was_left_out(
    live_client: httpx.AsyncClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "MAX_BEHIND_BYTES", 20_000)
    monkeypatch.setattr(follow, "KEPT_BEHIND_BYTES", 2_000)
    run = await make_run()
    run.log("begin")
    async with opened(live_client, _path(run)) as reader:
        first = await reader.take(1, "line")
        run.log(*(f"flood {i}" for i in range(5000)))
        before = await reader.until("gap")
        gap = before.pop()
        await run.move(JobStatus.COMPLETED)
        after = await reader.until("end")
    lines = [event for event in [*first, *before, *after] if event.type == "line"]
    # What came, and what the gap names, is the whole log: each line exactly once.
    query = {"after": gap.data["after"], "limit": 2000}
    missing = []
    while True:
        answer = await live_client.get(f"/api/v1/tasks/{run.id}/logs", params=query)
        items = answer.json()["items"]
        numbers = [i["number"] for i in items if i["number"] <= gap.data["last_number"]]
        missing += numbers
        if len(numbers) < len(items) or not items:
            break
        query["after"] = answer.json()["next"]
    numbers = sorted([event.data["number"] for event in lines] + missing)
    assert numbers == list(range(1, 5002))
    assert missing[0] == gap.data["first_number"]
    assert len(missing) == gap.data["lines"]
    # And who comes back after the gap goes on behind it.
    async with opened(live_client, _path(run), gap.id) as reader:
        again = await reader.take(1, "line")
    assert again[0].data["number"] == gap.data["last_number"] + 1


async def test_a_flood_is_slowed_down_to_what_a_browser_can_take(
    live_client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run(JobStatus.RUNNING)
    run.log(*(f"line {i}" for i in range(6000)))
    await run.move(JobStatus.COMPLETED)
    began = time.monotonic()
    async with opened(live_client, _path(run)) as reader:
        events = await reader.until("end")
    took_s = time.monotonic() - began
    assert _texts(events) == [f"line {i}" for i in range(6000)]
    assert took_s >= (6000 - follow.BURST) / follow.RECORDS_PER_S * 0.95


async def test_a_filter_sends_only_what_is_wanted(
    live_client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log(*(f"{'hit' if i % 100 == 0 else 'miss'} {i}" for i in range(10_000)))
    async with (
        opened(live_client, _path(run), q="^hit", regex="true") as reader,
        opened(live_client, _path(run), level=["error", "warning"]) as errors,
    ):
        seen = await reader.take(100, "line")
        run.log("miss", "a hit", "hit last")
        run.log("loud", level="error")
        seen += await reader.take(1, "line")
        assert _texts(await errors.take(1, "line")) == ["loud"]
    assert _texts(seen) == [*(f"hit {i}" for i in range(0, 10_000, 100)), "hit last"]
    assert [event.data["number"] for event in seen][-2:] == [9901, 10_003]
    async with opened(live_client, _path(run), seen[49].id, q="hit") as reader:
        assert _texts(await reader.take(1, "line")) == ["hit 5000"]


async def test_many_readers_share_what_is_read(
    live_client: httpx.AsyncClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = LogSource.read

    def counted(source: LogSource, folder: RunFolder, offset: int) -> Batch:
        nonlocal reads
        reads += 1
        return read(source, folder, offset)

    monkeypatch.setattr(LogSource, "read", counted)
    run = await make_run()
    run.log("first")
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(opened(live_client, _path(run))) for _ in range(30)
        ]
        for reader in readers:
            await reader.take(1, "line")
        for i in range(10):
            run.log(f"line {i}")
            for reader in readers:
                assert _texts(await reader.take(1, "line")) == [f"line {i}"]
    assert reads < 40  # not 330


@pytest.mark.long
async def test_a_reader_that_takes_nothing_costs_nothing(
    live_client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    """It is moved forward once it reads again, and hears of every line that it has missed."""
    run = await make_run()
    run.log("first")
    host, port = live_client.base_url.host, live_client.base_url.port
    cookie = live_client.cookies["easytune"]
    came, sent = await asyncio.open_connection(host, port, limit=4096)
    sent.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sent.write(
        f"GET {_path(run)} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Cookie: easytune={cookie}\r\n\r\n".encode()
    )
    await came.readuntil(b'"first"')
    for part in range(20):
        run.log(*(f"flood {part} {i} {'x' * 100}" for i in range(1000)))
        await asyncio.sleep(0.02)
    async with opened(live_client, _path(run), tail_of(run)) as other:
        run.log("other")  # nobody else waits for it
        assert _texts(await other.take(1, "line")) == ["other"]
    await run.move(JobStatus.COMPLETED)
    content = b""
    while b"event: bye" not in content:
        content += await asyncio.wait_for(came.read(65536), 20)
    sent.close()
    numbers = [int(n) for n in re.findall(rb'"number":(\d+)', content)]
    gaps = re.findall(rb'"first_number":(\d+),"last_number":(\d+)', content)
    assert gaps
    for first, last in gaps:
        numbers += range(int(first), int(last) + 1)
    assert sorted(numbers) == list(range(2, 20_003))


def tail_of(run: Run) -> str:
    """The position of the last line."""
    file = run.folder().log_file
    return f"1-{read_backward(file, size_of(file), 1)[0].offset}"


async def test_streams_hold_no_connection_to_the_database(
    live_client: httpx.AsyncClient, make_run: MakeRun, app: FastAPI
) -> None:
    run = await make_run()
    run.log("one")
    engine: AsyncEngine = app.state.engine
    async with opened(live_client, _path(run)) as first, opened(live_client, _path(run)) as second:
        await first.take(1, "line")
        await second.take(1, "line")
        held = []
        for _ in range(40):
            held.append(engine.pool.checkedout())  # type: ignore[attr-defined]
            await asyncio.sleep(0.02)
    # One watch looks for both now and then; nobody holds on.
    assert held.count(0) > len(held) / 2
    assert max(held) <= 1


async def test_bye_when_the_server_closes(
    live_client: httpx.AsyncClient, make_run: MakeRun, app: FastAPI
) -> None:
    run = await make_run()
    run.log("one")
    async with opened(live_client, _path(run)) as reader:
        await reader.take(1, "line")
        app.state.closing.set()
        assert [(e.type, e.data) for e in await reader.rest()] == [("bye", {"reason": "shutdown"})]


async def test_a_quiet_stream_says_that_it_lives(
    live_client: httpx.AsyncClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "PING_S", 0.2)
    monkeypatch.setattr(follow, "WAIT_S", 0.1)
    run = await make_run()
    async with opened(live_client, _path(run)) as reader:
        await asyncio.sleep(1)
        run.log("one")
        await reader.take(1, "line")
        assert "ping" in reader.comments
