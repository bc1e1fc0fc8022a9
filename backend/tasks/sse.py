"""Server-sent events on the wire (HTML standard §9.2): framing, pings, and how a stream ends.

Framed here and not by the framework, because a batch of many events then travels as one chunk.
"""

import time
from collections.abc import AsyncIterator

import orjson
from fastapi.responses import StreamingResponse

from backend.tasks.schemas import Task

RETRY_MS = 2000
PING_S = 10.0
PING = b": ping\n\n"
# The browser waits this long before it reconnects.
HELLO = f"retry: {RETRY_MS}\n\n".encode()
HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


def frame(event: str, data: bytes, id_: str | None = None) -> bytes:
    """One event. `data` is JSON on one line; `id_` is what the client resumes after."""
    tail = b"id: " + id_.encode() + b"\n\n" if id_ is not None else b"\n"
    return b"event: " + event.encode() + b"\ndata: " + data + b"\n" + tail


class Pings:
    """Says when a quiet stream needs a sign of life."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def sent(self) -> None:
        """Something was sent."""
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether nothing was sent for `PING_S` seconds; counts as sent."""
        if time.monotonic() - self._last < PING_S:
            return False
        self.sent()
        return True


def ending(reason: str, task: Task | None) -> bytes:
    """The last events of a stream: `end` when the task has ended, then `bye` and why.

    `auth` instead: the reader comes back at once and is told to sign in.
    """
    if reason == "auth":
        return frame("auth", b'{"reason":"signed_out"}')
    told = b""
    if reason == "end":
        state = {"status": task.status, "attempt": task.attempt} if task else {"status": None}
        told = frame("end", orjson.dumps(state))
    return told + frame("bye", orjson.dumps({"reason": reason}))


class EventStream(StreamingResponse):
    """Server-sent events; also what the API's description says of a stream."""

    media_type = "text/event-stream"


def answer(chunks: AsyncIterator[bytes]) -> EventStream:
    """The response of a stream; ends when `chunks` ends or the client goes away."""
    return EventStream(chunks, headers=HEADERS)
