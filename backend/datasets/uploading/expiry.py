"""Removes what nobody goes on with: uploads that stand still for a day, and files without owner.

Runs when the platform starts and every hour after that.
"""

import asyncio
import shutil
import time
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from backend.database import DatabaseUnavailable, WriteConflict, transaction
from backend.datasets.uploading import quarantine
from backend.datasets.uploading.resumable import KEPT, Desk
from backend.datasets.uploading.tables import UploadRow

EVERY_S = 3600.0
log = structlog.get_logger(__name__)


async def keep_clean(desk: Desk) -> None:
    """Clear, wait, and again."""
    while True:
        try:
            await clear(desk)
        except (DatabaseUnavailable, WriteConflict, SQLAlchemyError, OSError) as error:
            log.warning("abandoned uploads not cleared", error=type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def clear(desk: Desk) -> None:
    """Once: rows first, so that nobody goes on with a file that is about to go."""
    async with transaction(desk.sessions) as session:
        old = UploadRow.progressed_at < func.now() - KEPT
        gone = list(await session.scalars(delete(UploadRow).where(old).returning(UploadRow.id)))
        known = set(await session.scalars(select(UploadRow.id)))
    for upload_id in gone:
        desk.digests.forget(upload_id)
    if gone:
        log.info("abandoned uploads removed", count=len(gone))
    names = {str(upload_id) for upload_id in known}
    await asyncio.to_thread(_sweep, quarantine.folder_of(desk.settings), gone, names)


def _sweep(folder: Path, gone: list[UUID], known: set[str]) -> None:
    """Remove the files of `gone`, and old ones that a killed server left in the middle of a
    request."""
    for upload_id in gone:
        (folder / str(upload_id)).unlink(missing_ok=True)
    before = time.time() - KEPT.total_seconds()
    for path in folder.iterdir():
        try:
            if path.name in known or path.lstat().st_mtime >= before:
                continue
        except FileNotFoundError:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
