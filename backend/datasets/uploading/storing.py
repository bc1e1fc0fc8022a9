"""Files leave quarantine: they become the stored upload of a data set, without being copied.

A file is linked to its new place in the transaction that writes the data set, and leaves
quarantine when that is committed; whatever breaks in between, it is in one of the two. Bytes that
the same user has stored before are linked to those.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import files
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading.quarantine import DiskFull
from backend.settings import Settings

# A file system without hard links, or with no room for another one to this file.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})


@dataclass(frozen=True)
class NewFile:
    """A file in quarantine, to become a data set."""

    path: Path
    filename: str
    size_bytes: int
    sha256: str


def sha256_of(new: Sequence[NewFile]) -> str:
    """Of the upload as a whole: the file's, or one of the names and digests of several."""
    if len(new) == 1:
        return new[0].sha256
    lines = (f"{file.sha256} {file.filename}\n" for file in new)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


async def same_before(
    session: AsyncSession, owner_id: UUID, sha256: str, size_bytes: int
) -> DatasetRow | None:
    """A data set that this user made of the same bytes; the newest."""
    return (
        await session.scalars(
            select(DatasetRow)
            .where(
                DatasetRow.owner_id == owner_id,
                DatasetRow.upload_sha256 == sha256,
                DatasetRow.size_bytes == size_bytes,
            )
            .order_by(DatasetRow.id.desc())
            .limit(1)
        )
    ).first()


def store(
    settings: Settings, row: DatasetRow, new: Sequence[NewFile], before: DatasetRow | None
) -> None:
    """Put the files where the data set `row` has them; those in quarantine stay there.

    `before` is a data set of the same bytes. Raises `DiskFull`.
    """
    places = [path for path, _ in files.stored_files(settings, row)]
    places[0].parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stored = [path for path, _ in files.stored_files(settings, before)] if before else []
    try:
        for number, (file, place) in enumerate(zip(new, places, strict=True)):
            if number >= len(stored) or not _link_to_stored(stored[number], place, file.size_bytes):
                link(file.path, place)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from error
        raise


def _link_to_stored(stored: Path, place: Path, size_bytes: int) -> bool:
    """Whether bytes that are there already could be used: they may be deleted in this moment."""
    with suppress(OSError):
        if stored.stat().st_size == size_bytes:
            os.link(stored, place)
            return True
    return False


def link(source: Path, place: Path) -> None:
    """The same file at another place; a copy where the file system has no links."""
    try:
        os.link(source, place)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, place)
        place.chmod(0o600)
