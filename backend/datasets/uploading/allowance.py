"""How much may come in: a user's share, and the disk's free space less what is promised."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets.tables import DatasetRow
from backend.datasets.uploading.quarantine import MB, require_space
from backend.datasets.uploading.tables import UploadRow
from backend.errors import TooLarge, TooMany
from backend.settings import Settings

MAX_UPLOADS = 100
_LOCK = 0x75_70_6C_64  # "upld"; any number that nobody else uses


class QuotaExceeded(TooLarge):
    """You may keep {megabytes} MB here and have {used_megabytes} MB, unfinished uploads included;
    delete something first."""


class TooManyUploads(TooMany):
    """You have {count} unfinished uploads; finish or cancel some of them first."""


async def require_quota(
    session: AsyncSession, settings: Settings, owner_id: UUID, size_bytes: int
) -> None:
    """Raise `QuotaExceeded` when `size_bytes` more are too much for this user.

    Until the transaction ends nobody else asks: two at once would both find room for one.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    used = 0
    for table in (DatasetRow, UploadRow):
        total = select(func.sum(table.size_bytes)).where(table.owner_id == owner_id)
        used += int(await session.scalar(total) or 0)
    if used + size_bytes > settings.user_quota_mb * MB:
        figures = {"megabytes": settings.user_quota_mb, "used_megabytes": round(used / MB)}
        raise QuotaExceeded(params=figures)


async def require_room(
    session: AsyncSession, settings: Settings, owner_id: UUID, size_bytes: int
) -> None:
    """As `require_quota`, and `DiskFull` when the disk has not that much left for it."""
    await require_quota(session, settings, owner_id, size_bytes)
    coming = select(func.sum(UploadRow.size_bytes - UploadRow.offset_bytes))
    require_space(settings, size_bytes + int(await session.scalar(coming) or 0))


async def require_few(session: AsyncSession, owner_id: UUID) -> None:
    """Raise `TooManyUploads` for one more than a user may have open."""
    count = await session.scalar(
        select(func.count()).select_from(UploadRow).where(UploadRow.owner_id == owner_id)
    )
    if (count or 0) >= MAX_UPLOADS:
        raise TooManyUploads(params={"count": count or 0})
