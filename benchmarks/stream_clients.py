"""Many clients of one stream, and the barest server that could feed them, as processes.

`stream_clients.py read HOST PORT COUNT MARKS SECONDS`, with the request on stdin, prints
“connected” once all are answered, and as JSON how long lines that say `mark SECONDS` were under
way; it ends when every client has seen so many marks, or after so many seconds.
`stream_clients.py serve FILE` sends every client what is appended to FILE and prints its port.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

MARK = re.compile(rb"mark (\d+\.\d+)")
CONNECT_AT_ONCE = 10  # who opens a stream is looked up in the database
LOOK_EVERY_S = 0.05


class Client(asyncio.Protocol):
    """Reads a stream and keeps the delay of each mark; knows nothing else of it."""

    def __init__(self, request: bytes, delays: list[float]) -> None:
        self._request, self._delays = request, delays
        self.lines = 0
        self.answered = False
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if not self.answered and not data.startswith(b"HTTP/1.1 200"):
            sys.exit(data.decode(errors="replace"))
        self.answered = True
        whole, _, self.rest = (self.rest + data).rpartition(b"\n")
        for mark in MARK.finditer(whole):
            self._delays.append(now - float(mark[1]))
            self.lines += 1


async def read(host: str, port: int, count: int, marks: int, seconds: float) -> None:
    """Connect all, say so, read, print what was seen."""
    request, delays = sys.stdin.buffer.read(), list[float]()
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    deadline = time.monotonic() + seconds

    async def until(true: Callable[[Client], bool]) -> None:
        while time.monotonic() < deadline and not all(map(true, clients)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    for start in range(0, count, CONNECT_AT_ONCE):
        several = range(min(CONNECT_AT_ONCE, count - start))
        made = [loop.create_connection(lambda: Client(request, delays), host, port)
                for _ in several]  # fmt: skip
        clients += [client for _, client in await asyncio.gather(*made)]
        await until(lambda client: client.answered)
    print("connected", flush=True)
    deadline = time.monotonic() + seconds
    await until(lambda client: client.lines >= marks)
    delays.sort()
    seen = [client.lines for client in clients]
    print(json.dumps({
        "p50_s": delays[len(delays) // 2] if delays else None,
        "p95_s": delays[int(len(delays) * 0.95)] if delays else None,
        "fewest": min(seen),
        "most": max(seen),
    }))  # fmt: skip


async def serve(file: Path) -> None:
    """The control: a head, no sign-in, no parsing, the file's new bytes to everybody."""
    writers: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writers.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    with file.open("rb") as stream:
        stream.seek(0, 2)
        while True:
            if new := stream.read():
                for writer in writers:
                    writer.write(new)
            await asyncio.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.argv[1] == "serve":
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        host, port, count, marks, seconds = sys.argv[2:]
        asyncio.run(read(host, int(port), int(count), int(marks), float(seconds)))
