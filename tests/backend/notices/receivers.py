"""Real receivers of messages: a small HTTP server and a small SMTP server, on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpReceiver:
    """Answers with `statuses`, one after the other, the last one for ever; 0 never answers."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [204])
    location: str = ""
    answer: bytes = b""
    received: list[Received] = field(default_factory=list)

    @property
    def place(self) -> str:
        """For the list of servers that may be reached."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where a webhook is."""
        return f"http://{self.place}/hooks/very-secret-path"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lines = [line.partition(": ") for line in head[1:] if line]
        headers = {name.lower(): value for name, _, value in lines}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.received.append(Received(head[0].split()[1], headers, body))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 0:
            await asyncio.sleep(60)
        where = f"Location: {self.location}\r\n" if self.location else ""
        writer.write(
            f"HTTP/1.1 {status} X\r\n{where}Content-Length: {len(self.answer)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + self.answer
        )
        await writer.drain()
        writer.close()


@dataclass
class SmtpReceiver:
    """Takes every mail, or refuses every recipient."""

    port: int = 0
    refuses: bool = False
    mails: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""
        writer.write(b"220 mail.test ESMTP\r\n")
        while line := await reader.readline():
            match line.split(b" ")[0].strip().upper():
                case b"EHLO" | b"HELO":
                    writer.write(b"250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n")
                case b"AUTH":
                    writer.write(b"235 welcome\r\n")
                case b"RCPT" if self.refuses:
                    writer.write(b"550 nobody of that name\r\n")
                case b"DATA":
                    writer.write(b"354 go on\r\n")
                    self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(b"250 taken\r\n")
                case b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 yes\r\n")
        writer.close()


Receiver = TypeVar("Receiver", HttpReceiver, SmtpReceiver)


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Serve at a free port until the end."""
    open_: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_.add(task)
        try:
            await receiver.serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side went away
        except asyncio.CancelledError:
            writer.close()
        finally:
            open_.discard(task)

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)
