"""Many readers of one stream over real sockets, with as little as possible for each of them."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

# Every so many readers one looks at the lines: what all of them do for each line is measured too.
LOOKS_EVERY = 50


@dataclass
class Reader:
    """One open stream: what the server said, and how late, for a reader who `looks`."""

    looks: bool = False
    status: int = 0
    delays_s: list[float] = field(default_factory=list)
    last_id: str = ""
    events: list[bytes] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None

    async def read(self, port: int, path: str, cookie: str, last_id: str = "") -> None:
        """Read until the server or `cut` ends it."""
        reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"GET /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n"
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.writer.write(f"{head}{resume}Accept: text/event-stream\r\n\r\n".encode())
        try:
            self.status = int((await reader.readline()).split()[1])
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    self.events.append(line[7:].strip())
                elif self.looks and line.startswith(b"data: ") and self.events[-1] == b"line":
                    at = datetime.fromisoformat(json.loads(line[6:])["at"])
                    self.delays_s.append(time.time() - at.timestamp())
                elif line.startswith(b"id: "):
                    self.last_id = line[4:].decode().strip()
                if line.startswith(b"event: bye"):
                    await reader.readline()
                    return
        except (ConnectionError, IndexError, ValueError):
            return
        finally:
            self.writer.close()
            with suppress(OSError):
                await self.writer.wait_closed()


async def crowd(
    count: int, port: int, path: str, cookie: str
) -> tuple[list[Reader], asyncio.Task[None]]:
    """So many readers at once; opened a few at a time, as browsers come."""
    readers = [Reader(looks=number % LOOKS_EVERY == 0) for number in range(count)]

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for number, reader in enumerate(readers):
                group.create_task(reader.read(port, path, cookie))
                if number % 20 == 19:
                    await asyncio.sleep(0.05)

    return readers, asyncio.create_task(all_of_them())
