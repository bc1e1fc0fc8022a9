"""What can be done with a resumable upload: begin, look, go on, take back, use.

The row says how much is safe, the file in quarantine has the bytes; both survive a restart.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import pagination
from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets.uploading import allowance, parts, quarantine
from backend.datasets.uploading.digests import Digests
from backend.datasets.uploading.protocol import Creation, Part, WrongOffset
from backend.datasets.uploading.tables import UploadRow
from backend.errors import AppError, Conflict, NotFound
from backend.ids import new_id
from backend.settings import Settings

KEPT = timedelta(hours=24)


class UploadNotFound(NotFound):
    """This upload does not exist (any more), or it is not yours. Begin it anew."""


class UploadExpired(AppError):
    """This upload was left alone for more than 24 hours and has been removed. Begin it anew."""

    status = 410


class UploadUnfinished(Conflict):
    """“{filename}” has not arrived whole: {offset} of {size} bytes are here. Send the rest
    first."""


class FileChanged(AppError):
    """“{filename}” is not the file that was announced: its SHA-256 differs. It was removed; upload
    it anew."""

    status = 460


@dataclass(frozen=True)
class Desk:
    """What every step needs from the application."""

    settings: Settings
    sessions: SessionFactory
    digests: Digests

    def path(self, upload_id: UUID) -> Path:
        """The file of an upload."""
        return quarantine.path_of(self.settings, upload_id)


def expires_at(row: UploadRow) -> datetime:
    """When an upload is removed, if nothing comes any more."""
    return row.progressed_at + KEPT


async def begin(desk: Desk, user: UserRow, asked: Creation) -> UploadRow:
    """A new upload; raises `FileTooLarge`, `QuotaExceeded`, `TooManyUploads`, `DiskFull`."""
    policy.require(user, Action.CREATE, user.id)
    limit_mb = desk.settings.max_upload_mb
    if asked.size_bytes > limit_mb * quarantine.MB:
        raise quarantine.FileTooLarge(params={"megabytes": limit_mb})
    row = UploadRow(
        id=new_id(),
        owner_id=user.id,
        filename=asked.filename,
        client_metadata=asked.metadata,
        size_bytes=asked.size_bytes,
        offset_bytes=0,
        declared_sha256=asked.sha256,
    )
    path = desk.path(row.id)
    try:
        async with transaction(desk.sessions) as session:
            await allowance.require_room(session, desk.settings, user.id, asked.size_bytes)
            await allowance.require_few(session, user.id)
            session.add(row)
            await session.flush()
            await session.refresh(row)
            path.touch(mode=0o600, exist_ok=False)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if row.size_bytes == 0:
        await finish(desk, row)
    return row


async def find(
    session: AsyncSession, user: UserRow, upload_id: UUID, action: Action = Action.READ
) -> UploadRow:
    """The upload, when `user` may do `action` to it; raises `UploadNotFound`, `UploadExpired`."""
    query = policy.visible(
        select(UploadRow).where(UploadRow.id == upload_id), user, UploadRow.owner_id
    )
    row: UploadRow | None = await session.scalar(query)
    if row is None:
        raise UploadNotFound
    policy.require(user, action, row.owner_id)
    now = await session.scalar(select(func.now()))
    if now is not None and expires_at(row) < now:
        raise UploadExpired
    return row


async def page(
    session: AsyncSession, user: UserRow, limit: int, cursor: str | None
) -> list[UploadRow]:
    """The user's own, newest first; one more than `limit` when there is another page."""
    query = select(UploadRow).where(
        UploadRow.owner_id == user.id, UploadRow.progressed_at > func.now() - KEPT
    )
    return list(await session.scalars(pagination.after(query, UploadRow.id, cursor, limit)))


async def go_on(
    desk: Desk, user: UserRow, upload_id: UUID, part: Part, body: AsyncIterator[bytes]
) -> UploadRow:
    """Take a part of the file; returns the row as it stands then.

    Raises `WrongOffset`, `UploadBusy`, `ChecksumMismatch`, `FileChanged` and what `PartWriter`
    raises. No connection to the database is held while bytes come in.
    """
    async with transaction(desk.sessions) as session:
        await find(session, user, upload_id, Action.CHANGE)
    try:
        with parts.opened(desk.path(upload_id)) as descriptor:
            # Only now: whoever wrote until a moment ago has moved the offset.
            async with transaction(desk.sessions) as session:
                row = await find(session, user, upload_id, Action.CHANGE)
            if part.offset != row.offset_bytes:
                offset = row.offset_bytes
                raise WrongOffset(params={"offset": offset}, headers={"Upload-Offset": str(offset)})
            writer = parts.PartWriter(
                descriptor,
                part,
                row.size_bytes,
                partial(_keep, desk, row),
                partial(quarantine.require_space, desk.settings, 0),
            )
            await writer.write(body)
    except FileNotFoundError:
        await forget(desk, upload_id)
        raise UploadNotFound from None
    if row.offset_bytes == row.size_bytes and row.sha256 is None:
        await finish(desk, row)
    return row


async def _keep(desk: Desk, row: UploadRow, offset: int) -> None:
    """Write down that everything before `offset` is on the disk; hash it beside."""
    async with transaction(desk.sessions) as session:
        progressed_at = await session.scalar(
            update(UploadRow)
            .where(UploadRow.id == row.id, UploadRow.offset_bytes == row.offset_bytes)
            .values(offset_bytes=offset, progressed_at=func.now())
            .returning(UploadRow.progressed_at)
            .execution_options(synchronize_session=False)
        )
    if progressed_at is None:  # it was taken back meanwhile
        raise UploadNotFound
    row.offset_bytes, row.progressed_at = offset, progressed_at
    desk.digests.follow(row.id, desk.path(row.id), offset)


async def finish(desk: Desk, row: UploadRow) -> None:
    """Hash what has arrived whole, and compare; raises `FileChanged` and removes it when it is
    not what was announced."""
    try:
        sha256 = await desk.digests.of_whole(row.id, desk.path(row.id), row.size_bytes)
    except OSError as error:
        await forget(desk, row.id)
        raise UploadNotFound from error
    if row.declared_sha256 not in {None, sha256}:
        await forget(desk, row.id)
        raise FileChanged(params={"filename": row.filename})
    async with transaction(desk.sessions) as session:
        await session.execute(
            update(UploadRow)
            .where(UploadRow.id == row.id)
            .values(sha256=sha256)
            .execution_options(synchronize_session=False)
        )
    row.sha256 = sha256
    desk.digests.forget(row.id)


async def forget(desk: Desk, upload_id: UUID) -> None:
    """Remove the row, then the file: what a crash leaves between them is swept up later."""
    async with transaction(desk.sessions) as session:
        await session.execute(delete(UploadRow).where(UploadRow.id == upload_id))
    desk.digests.forget(upload_id)
    desk.path(upload_id).unlink(missing_ok=True)


async def take_back(desk: Desk, user: UserRow, upload_id: UUID) -> None:
    """Remove an upload at its owner's wish; one who writes just now is told at his next step."""
    async with transaction(desk.sessions) as session:
        await find(session, user, upload_id, Action.DELETE)
    await forget(desk, upload_id)


async def hash_finished(desk: Desk, user: UserRow, upload_ids: Sequence[UUID]) -> None:
    """Hash those that arrived whole when the server ended before it had hashed them."""
    async with transaction(desk.sessions) as session:
        query = select(UploadRow).where(
            UploadRow.id.in_(upload_ids),
            UploadRow.owner_id == user.id,
            UploadRow.sha256.is_(None),
            UploadRow.offset_bytes == UploadRow.size_bytes,
        )
        rows = list(await session.scalars(query))
    for row in rows:
        await finish(desk, row)


async def consume(
    session: AsyncSession, user: UserRow, upload_ids: Sequence[UUID]
) -> list[UploadRow]:
    """Take finished uploads of the user's own out of the table, in the order asked for.

    Raises `UploadNotFound`, `UploadUnfinished`. Their files are the caller's from the commit on.
    """
    query = select(UploadRow).where(UploadRow.id.in_(upload_ids), UploadRow.owner_id == user.id)
    found = {row.id: row for row in await session.scalars(query.with_for_update())}
    rows = []
    for upload_id in upload_ids:
        row = found.get(upload_id)
        if row is None:
            raise UploadNotFound
        if row.sha256 is None:
            raise UploadUnfinished(
                params={
                    "filename": row.filename,
                    "offset": row.offset_bytes,
                    "size": row.size_bytes,
                }
            )
        rows.append(row)
        await session.delete(row)
    await session.flush()
    return rows
