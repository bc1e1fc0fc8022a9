"""Puts the import of stored files into the queue, with all that it depends on."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import files, queries
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading.quarantine import MB
from backend.jobs import service as jobs
from backend.jobs.schemas import Slot
from backend.settings import Settings


async def enqueue(session: AsyncSession, settings: Settings, row: DatasetRow, version: int) -> None:
    """Import the stored files as this version when a slot is free."""
    await jobs.enqueue(
        session,
        kind=queries.IMPORT,
        spec=import_spec(settings, row, version),
        slot=Slot.LIGHT,
        owner_id=row.owner_id,
        subject_id=row.id,
        priority=10,  # somebody is watching; a download can wait a second
    )


def import_spec(settings: Settings, row: DatasetRow, version: int) -> dict[str, Any]:
    """All that an import depends on. `upload` is the file, or the folder of several `files`."""
    stored = files.stored_files(settings, row)
    return {
        "upload": str(stored[0][0] if not row.files else stored[0][0].parent),
        "files": [{"path": str(path), "filename": name} for path, name in stored],
        "staging": str(files.staging_dir(settings, row.id)),
        "version": version,
        "filename": row.filename or files.UPLOAD_FILE,
        "mapping": row.mapping,
        "options": row.options or {},
        "entry": row.entry,
        "max_dropped_rows": row.max_dropped_rows,
        "max_unpacked_bytes": settings.user_quota_mb * MB,
    }
