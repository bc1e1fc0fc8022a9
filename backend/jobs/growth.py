"""Tells many readers of one file that it grew: one look per file and interval, not per reader."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LOOK_EVERY_S = 0.05
# What it takes to wake a reader and send it something: with many of them looks are rarer, so that
# one look's news are out before the next.
SHARE_OF_A_READER_S = 0.0002


def _promise() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()


@dataclass
class _Watched:
    """A file that somebody waits for; `news` is what all of them wait on."""

    size: int
    readers: int = 0
    news: "asyncio.Future[None]" = field(default_factory=_promise)

    def tell(self) -> None:
        """Wake all who wait now."""
        if not self.news.done():
            self.news.set_result(None)
        self.news = _promise()


class GrowthWatch:
    """Readers wait in `beyond`; a file is looked at only while somebody waits for it."""

    def __init__(self, interval_s: float = LOOK_EVERY_S) -> None:
        self._interval_s = interval_s
        self._watched: dict[Path, _Watched] = {}
        self._looking: asyncio.Task[None] | None = None
        self._nudges = 0

    async def beyond(self, file: Path, size: int, timeout_s: float) -> int:
        """The file's size once it exceeds `size`, or `size` itself after `timeout_s` or a nudge."""
        watched = self._watched.get(file)
        if watched is None:
            watched = self._watched[file] = _Watched(_size(file))
        if watched.size > size:
            if not watched.readers:
                self._watched.pop(file, None)
            return watched.size
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="log growth")
        watched.readers += 1
        nudges, end = self._nudges, time.monotonic() + timeout_s
        try:
            while watched.size <= size and nudges == self._nudges:
                left = end - time.monotonic()
                if left <= 0:
                    break
                await asyncio.wait((watched.news,), timeout=left)
            return max(size, watched.size)
        finally:
            watched.readers -= 1
            if not watched.readers and self._watched.get(file) is watched:
                del self._watched[file]

    def nudge(self) -> None:
        """Wake everybody: something else has happened that they should look at."""
        self._nudges += 1
        for watched in self._watched.values():
            watched.tell()

    async def close(self) -> None:
        """Stop looking; whoever still waits sees its timeout."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self) -> None:
        while self._watched:
            for file, watched in list(self._watched.items()):
                now = _size(file)
                if now > watched.size:
                    watched.size = now
                    watched.tell()
            readers = sum(watched.readers for watched in self._watched.values())
            await asyncio.sleep(max(self._interval_s, readers * SHARE_OF_A_READER_S))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
