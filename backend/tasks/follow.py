"""Follows a file of a task over all its attempts: history and live are one loop over offsets.

Whoever falls too far behind is moved forward, and told exactly what was left out; nothing is
queued for anybody, so a slow reader costs the server no memory. Readers at the same place share
what is read there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from fastapi import Request

from backend.accounts.access_watch import Access
from backend.jobs.log_file import read_backward, size_of, start_of_next
from backend.jobs.run_folder import RunFolder, attempts
from backend.jobs.schemas import TERMINAL
from backend.tasks.position import Position
from backend.tasks.shared_reads import Batch
from backend.tasks.watch import Followed, TaskWatch

# At most rate + burst records in any second.
RECORDS_PER_S = 1500
BURST = 500
MAX_BEHIND_BYTES = 1024 * 1024
KEPT_BEHIND_BYTES = 128 * 1024
# A change of the task wakes readers at once; this is for what nobody tells.
WAIT_S = 1.0
REFILL_S = 0.1


@dataclass(frozen=True)
class Runs:
    """Where the attempts of one job lie."""

    runs_dir: Path
    job_id: UUID

    def folder(self, attempt: int) -> RunFolder:
        """The folder of an attempt, which need not exist."""
        return RunFolder.of(self.runs_dir, self.job_id, attempt)

    def folders(self) -> list[RunFolder]:
        """Those that exist, oldest first."""
        return attempts(self.runs_dir, self.job_id)


@dataclass(frozen=True)
class Gap:
    """Left out: the lines after `after` up to and with `last`; `offset` is where it goes on."""

    after: Position
    last: Position
    offset: int


class Source(Protocol):
    """A kind of file that can be followed; `read` and `gap` block on files."""

    @property
    def key(self) -> Hashable:
        """The same for sources that read the same."""

    def file(self, folder: RunFolder) -> Path:
        """The file of an attempt."""

    def read(self, folder: RunFolder, offset: int) -> Batch:
        """The next records from `offset`: not many, for whoever may read one may read them all."""

    def gap(self, folder: RunFolder, gap: Gap) -> bytes:
        """How the reader is told of a gap."""


class Pace:
    """A bucket of records that refills with time."""

    def __init__(self) -> None:
        self._left, self._at = float(BURST), time.monotonic()

    def allowed(self) -> int:
        """How many records may be sent now."""
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * RECORDS_PER_S)
        self._at = now
        return max(0, int(self._left))

    def take(self, count: int) -> None:
        """That many were sent."""
        self._left -= count


class Follower:
    """One reader of one kind of file of a task."""

    def __init__(
        self, request: Request, watch: TaskWatch, followed: Followed, runs: Runs, source: Source
    ) -> None:
        self.ended = ""
        self._request, self._watch, self._followed = request, watch, followed
        self._runs, self._source = runs, source
        self._pace = Pace()

    async def frames(self, start: Position, *, only_attempt: bool = False) -> AsyncIterator[bytes]:
        """What follows `start`, as it comes; empty whenever there is nothing new.

        Ends when all was sent and nothing more will come, or must; `ended` then says why: `end`,
        `auth` or `shutdown`.
        """
        with self._watch.access.reading(self._request) as access:
            async for frames in self._frames(start, access, only_attempt=only_attempt):
                yield frames

    async def _frames(
        self, start: Position, access: Access, *, only_attempt: bool
    ) -> AsyncIterator[bytes]:
        attempt, offset, size = start.attempt, None, 0
        while not (reason := self._must_end(access)):
            over = self._is_over(attempt)  # asked before the size is, so that nothing is missed
            folder = self._runs.folder(attempt)
            file = self._source.file(folder)
            if offset is None:
                offset = await asyncio.to_thread(start.following, file)
            if size <= offset:
                size = size_of(file)
            if size - offset > MAX_BEHIND_BYTES:
                gap = await asyncio.to_thread(_jump, file, attempt, offset, size)
                yield await asyncio.to_thread(self._source.gap, folder, gap)
                offset = gap.offset
            if size > offset:
                if not self._pace.allowed():
                    await asyncio.sleep(REFILL_S)
                    size = size_of(file)
                    continue
                batch = await self._read(folder, offset)
                if batch.end > offset:
                    self._pace.take(batch.count)
                    offset = batch.end
                    yield batch.frames
                    continue
            if over:
                if only_attempt or (following := await self._following(attempt)) is None:
                    reason = "end"
                    break
                attempt, offset, size = following, 0, 0
                continue
            yield b""
            size = await self._watch.growth.beyond(file, size, WAIT_S)
        self.ended = reason

    async def _read(self, folder: RunFolder, offset: int) -> Batch:
        source, key = self._source, (folder.path, self._source.key, offset)
        return await self._watch.reads.batch(key, offset, lambda: source.read(folder, offset))

    def _is_over(self, attempt: int) -> bool:
        task = self._followed.task
        return task is None or task.attempt > attempt or task.status in TERMINAL

    async def _following(self, attempt: int) -> int | None:
        """The next attempt that wrote something, or will."""
        task = self._followed.task
        if task is None or task.attempt <= attempt:
            return None
        folders = await asyncio.to_thread(self._runs.folders)
        return min([*(f.attempt for f in folders if f.attempt > attempt), task.attempt])

    def _must_end(self, access: Access) -> str:
        """Why the stream must end now; empty when it need not."""
        if self._request.app.state.closing.is_set():
            return "shutdown"
        return "" if access.allowed else "auth"


def _jump(file: Path, attempt: int, offset: int, size: int) -> Gap:
    """Leave out what is too much, up to a line near the end."""
    before = read_backward(file, offset, 1)
    # The same place for all who jump at about the same time.
    near = size // KEPT_BEHIND_BYTES * KEPT_BEHIND_BYTES - KEPT_BEHIND_BYTES
    target = start_of_next(file, max(offset, near))
    return Gap(
        after=Position(attempt, before[0].offset if before else None),
        last=Position(attempt, read_backward(file, target, 1)[0].offset),
        offset=target,
    )
