"""Tells many readers of one file that it grew: one look per file and interval, not per reader."""

import asyncio
from contextlib import suppress
from pathlib import Path

LOOK_EVERY_S = 0.05


class GrowthWatch:
    """Readers wait in `beyond`; a file is looked at only while somebody waits for it."""

    def __init__(self, interval_s: float = LOOK_EVERY_S) -> None:
        self._interval_s = interval_s
        self._waiting: dict[Path, dict[asyncio.Future[int], int]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def beyond(self, file: Path, size: int, timeout_s: float) -> int:
        """The file's size once it exceeds `size`, or `size` itself after `timeout_s`."""
        now = _size(file)
        if now > size:
            return now
        woken: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(file, {})[woken] = size
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="log growth")
        try:
            return await asyncio.wait_for(woken, timeout_s)
        except TimeoutError:
            return size
        finally:
            readers = self._waiting.get(file, {})
            readers.pop(woken, None)
            if not readers:
                self._waiting.pop(file, None)

    async def close(self) -> None:
        """Stop looking; whoever still waits sees its timeout."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self) -> None:
        while self._waiting:
            for file, readers in list(self._waiting.items()):
                now = _size(file)
                for woken, size in list(readers.items()):
                    if now > size and not woken.done():
                        woken.set_result(now)
            await asyncio.sleep(self._interval_s)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
