"""A reader of server-sent events for tests: strict about framing, patient about time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE_S = 20.0


@dataclass
class Event:
    """One event as it came."""

    type: str
    data: Any
    id: str | None


@dataclass
class Reader:
    """Events of an open stream, in order."""

    response: httpx.Response
    comments: list[str] = field(default_factory=list)
    retry_ms: int | None = None
    _buffer: str = ""
    _chunks: Any = None

    async def next(self) -> Event | None:
        """The next event; None when the server has closed the stream."""
        if self._chunks is None:
            self._chunks = self.response.aiter_text()
        while True:
            while "\n\n" in self._buffer:
                block, _, self._buffer = self._buffer.partition("\n\n")
                if (event := self._parse(block)) is not None:
                    return event
            try:
                async with asyncio.timeout(PATIENCE_S):
                    self._buffer += await anext(self._chunks)
            except StopAsyncIteration:
                assert not self._buffer, f"torn event: {self._buffer!r}"
                return None

    def _parse(self, block: str) -> Event | None:
        event = Event("message", None, None)
        data = []
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not name:
                self.comments.append(value)
            elif name == "retry":
                self.retry_ms = int(value)
            elif name == "data":
                data.append(value)
            elif name == "event":
                event.type = value
            elif name == "id":
                event.id = value
            else:
                raise AssertionError(f"unknown field {line!r}")
        if not data:
            return None
        event.data = json.loads("\n".join(data))
        return event

    async def until(self, *types: str) -> list[Event]:
        """Events up to and with the first of one of `types`."""
        found = []
        while (event := await self.next()) is not None:
            found.append(event)
            if event.type in types:
                return found
        raise AssertionError(f"the stream ended without {types}: {[e.type for e in found]}")

    async def take(self, count: int, type_: str) -> list[Event]:
        """The next `count` events of a type; others are passed over."""
        found: list[Event] = []
        while len(found) < count:
            event = await self.next()
            assert event is not None, f"the stream ended after {len(found)} of {count}"
            if event.type == type_:
                found.append(event)
        return found

    async def rest(self) -> list[Event]:
        """Everything until the server closes."""
        found = []
        while (event := await self.next()) is not None:
            found.append(event)
        return found


@asynccontextmanager
async def opened(
    client: httpx.AsyncClient, path: str, last_event_id: str | None = None, **query: Any
) -> AsyncIterator[Reader]:
    """An open stream; leaving the block cuts the connection."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with client.stream("GET", path, params=query, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Reader(response)
