"""SHA-256 of uploads while they grow.

A hash's inner state can not be stored, so a restart of the server loses it. Therefore the hash
never sees the network: it follows the file, in a thread, up to what is on the disk for good. Fresh
bytes are still in the page cache and cost no reading; after a restart the same loop begins at 0
and catches up while the next part comes in.
"""

import asyncio
import hashlib
import threading
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from backend.errors import Unavailable

BLOCK_BYTES = 1 << 20


class _Following:
    """How far one file is hashed. Its lock is the thread's: a cancelled request leaves the thread
    running, and two must not feed the same hash."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.hash = hashlib.sha256()
        self.position = 0

    def read_to(self, path: Path, offset: int, stopped: threading.Event) -> str:
        """Hash up to `offset`; raises `OSError` when the file is not there or too short,
        `Unavailable` when the server ends meanwhile."""
        block = bytearray(BLOCK_BYTES)
        view = memoryview(block)
        with self.lock, path.open("rb", buffering=0) as file:
            file.seek(self.position)
            while self.position < offset:
                if stopped.is_set():
                    raise Unavailable
                count = file.readinto(view[: min(BLOCK_BYTES, offset - self.position)])
                if not count:
                    raise OSError("the file is shorter than it was")
                self.hash.update(view[:count])
                self.position += count
            return self.hash.hexdigest()


class Digests:
    """Of all uploads that this server has seen a part of."""

    def __init__(self) -> None:
        self._followings: dict[UUID, _Following] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = threading.Event()

    def follow(self, upload_id: UUID, path: Path, offset: int) -> None:
        """Go on hashing beside everything else; returns at once."""
        following = self._followings.setdefault(upload_id, _Following())
        if following.lock.locked():  # it is on its way; the next call takes it further
            return
        task = asyncio.create_task(self._quietly(following, path, offset))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, following: _Following, path: Path, offset: int) -> None:
        # The upload was taken back, or the server ends: who needs the digest hears of it.
        with suppress(OSError, Unavailable):
            await asyncio.to_thread(following.read_to, path, offset, self._stopped)

    async def of_whole(self, upload_id: UUID, path: Path, size_bytes: int) -> str:
        """The digest of the first `size_bytes`, all of which are on the disk; raises `OSError`."""
        following = self._followings.setdefault(upload_id, _Following())
        return await asyncio.to_thread(following.read_to, path, size_bytes, self._stopped)

    def forget(self, upload_id: UUID) -> None:
        """The upload is finished or gone."""
        self._followings.pop(upload_id, None)

    async def close(self) -> None:
        """Let go of the files."""
        self._stopped.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
