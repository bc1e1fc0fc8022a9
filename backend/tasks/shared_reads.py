"""What many readers of one place in a file read is read, parsed and framed once.

Readers of a live run stand at its end together, so each new piece is made by the first of them and
given to all; the bytes are shared too. Whoever is elsewhere makes pieces of its own.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

KEPT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Framed records; the next one begins at `end`."""

    frames: bytes
    end: int
    count: int


class SharedReads:
    """Batches by where they begin, the last used ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Batch] = OrderedDict()
        self._held_bytes = 0
        self._reading: dict[Hashable, asyncio.Task[Batch]] = {}

    async def batch(self, key: Hashable, offset: int, read: Callable[[], Batch]) -> Batch:
        """What `read` gives, which blocks on files; `key` names the file, the way and `offset`.

        A batch that is there stays right as the file grows: it is its beginning.
        """
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept
        reading = self._reading.get(key)
        if reading is None:
            reading = asyncio.create_task(asyncio.to_thread(read), name="shared read")
            self._reading[key] = reading
            reading.add_done_callback(lambda done: self._keep(key, offset, done))
        return await asyncio.shield(reading)

    def _keep(self, key: Hashable, offset: int, done: "asyncio.Task[Batch]") -> None:
        self._reading.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        batch = done.result()
        if batch.end > offset:
            self._kept[key] = batch
            self._held_bytes += len(batch.frames)
        while self._held_bytes > KEPT_BYTES:
            _, old = self._kept.popitem(last=False)
            self._held_bytes -= len(old.frames)
