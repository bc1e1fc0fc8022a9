"""Hundreds of readers of one live log, in a process of their own, over real sockets."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.backend.tasks.conftest import MakeRun

READER = Path(__file__).parents[3] / "benchmarks/stream_clients.py"
CLIENTS = int(os.environ.get("READERS", "300"))
LINES = 40


@pytest.mark.long
async def test_many_readers_of_one_log(live_client: httpx.AsyncClient, make_run: MakeRun) -> None:
    """Each sees every line, soon, and costs little memory."""
    run = await make_run()
    run.log("begin")
    port, cookie = live_client.base_url.port, live_client.cookies["easytune"]
    request = (
        f"GET /api/v1/tasks/{run.id}/logs/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Cookie: easytune={cookie}\r\n\r\n"
    )
    own = psutil.Process()
    before = own.memory_info().rss
    reading = await asyncio.create_subprocess_exec(
        sys.executable, str(READER), "read", "127.0.0.1", str(port),
        str(CLIENTS), str(LINES), "200",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert reading.stdin is not None
    assert reading.stdout is not None
    reading.stdin.write(request.encode())
    reading.stdin.close()
    assert await reading.stdout.readline() == b"connected\n"
    used = time.process_time()
    for _ in range(LINES):
        run.log(f"mark {time.time():.6f}")
        await asyncio.sleep(0.1)
    used = time.process_time() - used
    after = own.memory_info().rss
    seen = json.loads(await reading.stdout.read())
    await reading.wait()
    print(seen, f"{(after - before) / CLIENTS / 1000:.0f} KB each, {used:.2f} s of CPU")
    assert (seen["fewest"], seen["most"]) == (LINES, LINES)
    assert (after - before) / CLIENTS < 200_000
    assert seen["p95_s"] < 5  # with room for a busy machine; the benchmark says how fast it is
