"""Where files wait until they are a data set: a folder of their own, and room on the disk.

A file's name there is an id of ours, so that nothing of what a user named it reaches the disk.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from uuid import UUID

from backend.errors import AppError, TooLarge
from backend.ids import new_id
from backend.settings import Settings

MB = 1_000_000
# Kept free for the database and for checkpoints of running tasks.
RESERVE_BYTES = 512 * 1024 * 1024


class FileTooLarge(TooLarge):
    """The file is larger than the {megabytes} MB that are allowed here."""


class DiskFull(AppError):
    """There is not enough space on the disk for this file; free some and try again."""

    status = 507


def require_space(settings: Settings, size_bytes: int) -> None:
    """Raise `DiskFull` when `size_bytes` more would eat into the reserve."""
    if shutil.disk_usage(folder_of(settings)).free < size_bytes + RESERVE_BYTES:
        raise DiskFull


def folder_of(settings: Settings) -> Path:
    """The quarantine; outside everything that is served."""
    folder = settings.datasets_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def path_of(settings: Settings, upload_id: UUID) -> Path:
    """The file of a resumable upload."""
    return folder_of(settings) / str(upload_id)


@asynccontextmanager
async def incoming(settings: Settings) -> AsyncIterator[Path]:
    """A file name in quarantine, or the beginning of several (`NAME.0`, `NAME.1`, …); whatever is
    still there at the end is removed."""
    path = folder_of(settings) / str(new_id())
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        for part in path.parent.glob(f"{path.name}.[0-9]*"):
            part.unlink(missing_ok=True)


def safe_name(name: str) -> str:
    """The last part of a file name as data to show: no folders, no control characters."""
    name = PurePosixPath(PureWindowsPath(name).name).name
    shown = "".join(c for c in name if c.isprintable())
    return shown[-255:] or "upload"
