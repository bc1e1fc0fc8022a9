"""Finding notices, targets and deliveries. A notice is its owner's alone, for every role."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from backend import pagination
from backend.accounts.tables import UserRow
from backend.errors import NotFound
from backend.notices.kinds import DeliveryState
from backend.notices.schemas import (
    DeliveryError,
    LastDelivery,
    Notice,
    NoticeDelivery,
    NoticeTarget,
    Subject,
)
from backend.notices.tables import NoticeDeliveryRow, NoticeRow, NoticeTargetRow


class NoticeTargetNotFound(NotFound):
    """This target does not exist (any more)."""


async def page(
    session: AsyncSession, user: UserRow, *, unread: bool, limit: int, cursor: str | None
) -> list[NoticeRow]:
    """The user's own, newest first; one more than `limit` when there is another page."""
    query = select(NoticeRow).where(NoticeRow.owner_id == user.id, NoticeRow.in_app)
    if unread:
        query = query.where(NoticeRow.read_at.is_(None))
    return list(await session.scalars(pagination.after(query, NoticeRow.id, cursor, limit)))


async def count_unread(session: AsyncSession, user: UserRow) -> int:
    """How many of the user's own are unread."""
    query = select(func.count()).where(
        NoticeRow.owner_id == user.id, NoticeRow.in_app, NoticeRow.read_at.is_(None)
    )
    return await session.scalar(query) or 0


def notice_of(row: NoticeRow) -> Notice:
    """As the API shows it."""
    return Notice.model_validate(
        {
            "id": row.id,
            "at": row.created_at,
            "kind": row.kind,
            "level": row.level,
            "params": row.params,
            "subject": subject_of(row),
            "read_at": row.read_at,
        }
    )


def subject_of(row: NoticeRow) -> Subject:
    """What it is about."""
    return Subject.model_validate(
        {"type": row.subject_type, "id": row.subject_id, "name": row.subject_name}
    )


async def find_target(
    session: AsyncSession, target_id: UUID, *, lock: bool = False
) -> NoticeTargetRow:
    """The target; raises `NoticeTargetNotFound`."""
    row = await session.get(NoticeTargetRow, target_id, with_for_update=lock)
    if row is None:
        raise NoticeTargetNotFound
    return row


async def targets(session: AsyncSession) -> list[NoticeTarget]:
    """All of them by name, each with how its last message went."""
    query = select(NoticeTargetRow).order_by(func.lower(NoticeTargetRow.name), NoticeTargetRow.id)
    return await views_of(session, list(await session.scalars(query)))


async def views_of(session: AsyncSession, rows: Sequence[NoticeTargetRow]) -> list[NoticeTarget]:
    """As the API shows them: without anything secret."""
    ids = [row.id for row in rows]
    last, waiting = await _last(session, ids), await _waiting(session, ids)
    return [
        NoticeTarget.model_validate(
            {
                "id": row.id,
                "created_at": row.created_at,
                "name": row.name,
                "service": row.service,
                "url": row.address_shown,
                "kinds": sorted(row.kinds),
                "language": row.language,
                "enabled": row.enabled,
                "waiting": waiting.get(row.id, 0),
                "last_delivery": last.get(row.id),
            }
        )
        for row in rows
    ]


async def deliveries(
    session: AsyncSession, target_id: UUID, *, limit: int, cursor: str | None
) -> list[tuple[NoticeDeliveryRow, NoticeRow]]:
    """Messages to a target, newest first; one more than `limit` when there is another page."""
    query = select(NoticeDeliveryRow).where(NoticeDeliveryRow.target_id == target_id)
    asked = pagination.after(query, NoticeDeliveryRow.id, cursor, limit)
    rows = list(await session.scalars(asked))
    ids = {row.notice_id for row in rows}
    found = await session.scalars(select(NoticeRow).where(NoticeRow.id.in_(ids)))
    notices = {notice.id: notice for notice in found}
    return [(row, notices[row.notice_id]) for row in rows if row.notice_id in notices]


def delivery_of(row: NoticeDeliveryRow, notice: NoticeRow) -> NoticeDelivery:
    """As the API shows it."""
    waits = row.state == DeliveryState.WAITING
    return NoticeDelivery.model_validate(
        {
            "id": row.id,
            "at": row.created_at,
            "kind": notice.kind,
            "subject": subject_of(notice),
            "state": row.state,
            "attempts": row.attempts,
            "tried_at": row.tried_at,
            "due_at": row.due_at if waits else None,
            "error": DeliveryError(**row.error) if row.error else None,
        }
    )


async def _last(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, LastDelivery]:
    rows = NoticeDeliveryRow
    query = (
        select(rows)
        .where(rows.target_id.in_(ids), rows.tried_at.is_not(None))
        .ext(distinct_on(rows.target_id))
        .order_by(rows.target_id, rows.tried_at.desc())
    )
    return {
        row.target_id: LastDelivery(
            at=row.tried_at,
            ok=row.state == DeliveryState.SENT,
            error=DeliveryError(**row.error) if row.error else None,
        )
        for row in await session.scalars(query)
    }


async def _waiting(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = NoticeDeliveryRow
    query = (
        select(rows.target_id, func.count().label("waiting"))
        .where(rows.target_id.in_(ids), rows.state == DeliveryState.WAITING)
        .group_by(rows.target_id)
    )
    return {row.target_id: row.waiting for row in await session.execute(query)}
