"""The volume of the data folder, and how much of it is ours."""

import asyncio
import os
import shutil
import time
from pathlib import Path

from backend.system.schemas import Disk

COUNT_AGAIN_AFTER_S = 60.0
# With less than this a run may not finish: checkpoints and results need room.
LOW_BYTES = 5 * 1024**3


class DiskUse:
    """Counting files takes a while, so the last count is shown while a new one is made."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._bytes: int | None = None
        self._counted_at = -COUNT_AGAIN_AFTER_S
        self._counting: asyncio.Task[None] | None = None

    def now(self) -> Disk:
        """The volume now; `easytune_bytes` is at most a minute old, or not known yet."""
        found = shutil.disk_usage(self._data_dir)
        idle = self._counting is None or self._counting.done()
        if idle and time.monotonic() - self._counted_at > COUNT_AGAIN_AFTER_S:
            self._counting = asyncio.create_task(self._count(), name="disk use")
        return Disk(
            used_bytes=found.used,
            free_bytes=found.free,
            total_bytes=found.total,
            low_bytes=LOW_BYTES,
            easytune_bytes=self._bytes,
        )

    async def _count(self) -> None:
        self._bytes = await asyncio.to_thread(size_of, self._data_dir)
        self._counted_at = time.monotonic()

    async def close(self) -> None:
        """Wait for a count under way."""
        if self._counting is not None:
            await asyncio.gather(self._counting, return_exceptions=True)


def size_of(folder: Path) -> int:
    """Bytes on disk below `folder`; a file with two names counts once, links are not followed."""
    total, seen, stack = 0, set(), [str(folder)]
    while stack:
        try:
            entries = list(os.scandir(stack.pop()))
        except OSError:
            continue  # removed meanwhile, or closed to us (the database's own folder)
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                    continue
                found = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if found.st_nlink > 1:
                if found.st_ino in seen:
                    continue
                seen.add(found.st_ino)
            total += found.st_blocks * 512
    return total
