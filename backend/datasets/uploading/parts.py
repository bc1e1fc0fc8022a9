"""Writing a part of an upload: from the connection to the disk, and what of it counts.

What is sent without checksum counts as soon as it is on the disk for good, so that a cut loses at
most the last seconds. What has a checksum counts as a whole, or not at all.
"""

import asyncio
import errno
import fcntl
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from backend.datasets.uploading.protocol import Part
from backend.datasets.uploading.quarantine import DiskFull
from backend.errors import AppError, Refused

BLOCK_BYTES = 1 << 20
# How much, and how long, may be on its way to the disk before the row says so.
KEEP_BYTES = 16 << 20
KEEP_S = 2.0

P = ParamSpec("P")
T = TypeVar("T")


class UploadBusy(AppError):
    """Another connection is just sending a part of this upload; try again in a moment."""

    status = 423


class MoreThanPromised(Refused):
    """More came than the {size} bytes that were announced; the file has changed. Upload it anew."""


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The file of an upload, for one writer; raises `UploadBusy`, `FileNotFoundError`.

    The kernel's lock belongs to the open file: it ends with the process, however that ends.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusy(headers={"Retry-After": "1"}) from None
        yield descriptor
    finally:
        os.close(descriptor)


async def to_the_end(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Work in a thread that is waited for even when this task is cancelled: it uses a file that
    is closed next."""
    thread = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


class PartWriter:
    """Writes one part from its offset on.

    `keep(offset)` is told what is on the disk for good; `require_space` raises when the disk
    fills up.
    """

    def __init__(
        self,
        descriptor: int,
        part: Part,
        size_bytes: int,
        keep: Callable[[int], Awaitable[None]],
        require_space: Callable[[], None],
    ) -> None:
        self._descriptor = descriptor
        self._checksum = part.checksum
        self._hash: Any = part.checksum.start() if part.checksum else None
        self._size_bytes = size_bytes
        self._keep, self._require_space = keep, require_space
        self._pending: list[bytes] = []
        self._came = self._written = self._kept = part.offset
        self._kept_at = time.monotonic()

    async def write(self, body: AsyncIterator[bytes]) -> int:
        """Take the whole part; returns the upload's new offset.

        Raises `MoreThanPromised`, `DiskFull`, `ChecksumMismatch`, and what `body` raises when the
        connection breaks; then what had come without checksum is kept.
        """
        whole = False
        try:
            async for chunk in body:
                await self._take(chunk)
            await self._flush()
            if self._checksum is not None:
                self._checksum.require(self._hash)
            whole = True
        finally:
            if whole or self._checksum is None:
                await self._save()
        return self._kept

    async def _take(self, chunk: bytes) -> None:
        if self._came + len(chunk) > self._size_bytes:
            raise MoreThanPromised(params={"size": self._size_bytes})
        self._pending.append(chunk)
        self._came += len(chunk)
        if self._came - self._written >= BLOCK_BYTES:
            await self._flush()
            self._require_space()
        if self._checksum is None and (
            self._written - self._kept >= KEEP_BYTES or time.monotonic() - self._kept_at >= KEEP_S
        ):
            await self._save()

    async def _flush(self) -> None:
        block = b"".join(self._pending)
        self._pending = []
        try:
            await to_the_end(self._put, block)
        except OSError as error:
            self._came = self._written  # what did not get to the disk does not count
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise DiskFull from error
            raise
        self._written += len(block)

    def _put(self, block: bytes) -> None:
        if self._hash is not None:
            self._hash.update(block)
        view, done = memoryview(block), 0
        while done < len(block):
            done += os.pwrite(self._descriptor, view[done:], self._written + done)

    async def _save(self) -> None:
        await self._flush()
        if self._written > self._kept:
            await to_the_end(os.fsync, self._descriptor)
            await self._keep(self._written)
            self._kept = self._written
        self._kept_at = time.monotonic()
