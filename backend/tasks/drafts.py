"""The wizard's drafts: saved as they are, valid or not; forgotten after 30 days."""

from datetime import timedelta
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import NotFound, Refused
from backend.tasks.draft_schemas import Draft, DraftSave
from backend.tasks.tables import DraftRow

KEPT = timedelta(days=30)
MAX_DRAFTS = 50
MAX_BYTES = 64 * 1024


class DraftNotFound(NotFound):
    """This draft does not exist (any more)."""


class TooManyDrafts(Refused):
    """You have {count} drafts; delete one before you begin another."""


class DraftTooLarge(Refused):
    """A draft may have {max_bytes} bytes at most."""


def _alive(owner_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return DraftRow.owner_id == owner_id, DraftRow.updated_at > func.now() - KEPT


def _draft(row: DraftRow) -> Draft:
    return Draft(id=row.id, values=row.values, step=row.step, updated_at=row.updated_at)


def _check(body: DraftSave) -> None:
    if len(orjson.dumps(body.values)) > MAX_BYTES:
        raise DraftTooLarge(params={"max_bytes": MAX_BYTES})


async def _find(session: AsyncSession, owner_id: UUID, draft_id: UUID) -> DraftRow:
    query = select(DraftRow).where(DraftRow.id == draft_id, *_alive(owner_id))
    row = await session.scalar(query)
    if row is None:
        raise DraftNotFound
    return row


async def list_all(session: AsyncSession, owner_id: UUID) -> list[Draft]:
    """The user's drafts, last changed first."""
    query = select(DraftRow).where(*_alive(owner_id))
    rows = await session.scalars(query.order_by(DraftRow.updated_at.desc(), DraftRow.id.desc()))
    return [_draft(row) for row in rows]


async def get(session: AsyncSession, owner_id: UUID, draft_id: UUID) -> Draft:
    """One draft of the user; raises `DraftNotFound`."""
    return _draft(await _find(session, owner_id, draft_id))


async def create(session: AsyncSession, owner_id: UUID, body: DraftSave) -> Draft:
    """Begin a draft; drafts of this user that have expired go."""
    _check(body)
    await session.execute(
        delete(DraftRow).where(
            DraftRow.owner_id == owner_id, DraftRow.updated_at <= func.now() - KEPT
        )
    )
    count = await session.scalar(
        select(func.count()).select_from(DraftRow).where(DraftRow.owner_id == owner_id)
    )
    if (count or 0) >= MAX_DRAFTS:
        raise TooManyDrafts(params={"count": count})
    row = DraftRow(owner_id=owner_id, values=body.values, step=body.step)
    session.add(row)
    await session.flush()
    await session.refresh(row, ["updated_at"])
    return _draft(row)


async def save(session: AsyncSession, owner_id: UUID, draft_id: UUID, body: DraftSave) -> Draft:
    """Replace what a draft holds."""
    _check(body)
    row = await _find(session, owner_id, draft_id)
    row.values, row.step = body.values, body.step
    row.updated_at = func.now()
    await session.flush()
    await session.refresh(row, ["updated_at"])
    return _draft(row)


async def remove(session: AsyncSession, owner_id: UUID, draft_id: UUID) -> None:
    """Forget a draft."""
    await session.delete(await _find(session, owner_id, draft_id))
