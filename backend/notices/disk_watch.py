"""Tells administrators, once, when the disk of the data folder gets full, and that it is over.

What has been told stands in the database alone: a notice under the host's key. So a restart in
between tells nothing twice, and while the database has no room to write it is tried again.
"""

import asyncio
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from backend.database import (
    DatabaseUnavailable,
    SessionFactory,
    WriteConflict,
    again_on_conflict,
    transaction,
)
from backend.notices import service
from backend.notices.kinds import NoticeKind, SubjectType
from backend.system.disk import LOW_BYTES

LOOK_EVERY_S = 60.0
# It is over when there is clearly more again: a disk at the mark goes above and below all day.
OVER_BYTES = LOW_BYTES + LOW_BYTES // 10
# There is one for each host, and no row for it.
THE_DISK = UUID(int=0)

log = structlog.get_logger(__name__)


class DiskWatch:
    """`run()` until cancelled. `free_of`: bytes that are free where a folder lies."""

    def __init__(
        self,
        sessions: SessionFactory,
        data_dir: Path,
        free_of: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._sessions, self._data_dir, self._free_of = sessions, data_dir, free_of
        self._host = socket.gethostname()
        self._key = f"disk_low:{self._host}"[:100]

    async def run(self) -> None:
        """Look now and then, for ever; survives absences of the database and of the disk."""
        while True:
            try:
                await self.look()
            except (DatabaseUnavailable, WriteConflict, SQLAlchemyError, OSError) as error:
                log.warning("disk_not_watched", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell what has changed since the last look, this process's or an earlier one's."""
        free = await asyncio.to_thread(self._free_of, self._data_dir)
        if free < LOW_BYTES:
            await self._tell(free)
        elif free >= OVER_BYTES:
            await self._take_back(free)

    @again_on_conflict
    async def _tell(self, free: int) -> None:
        async with transaction(self._sessions) as session:
            first = await service.announce_to_administrators(
                session,
                kind=NoticeKind.DISK_LOW,
                subject_type=SubjectType.DISK,
                subject_id=THE_DISK,
                subject_name=self._host,
                params={"free_bytes": free, "low_bytes": LOW_BYTES},
                key=self._key,
            )
        if first:
            log.warning("disk_low", free_bytes=free, folder=str(self._data_dir))

    @again_on_conflict
    async def _take_back(self, free: int) -> None:
        async with transaction(self._sessions) as session:
            count = await service.take_back(session, self._key)
        if count:
            log.info("disk_low_is_over", free_bytes=free)
