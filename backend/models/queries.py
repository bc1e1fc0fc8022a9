"""Finding base models. They belong to the installation: every user sees all of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import pagination
from backend.errors import NotFound
from backend.jobs import subjects
from backend.models.schemas import ModelSource, ModelStatus, ModelUse
from backend.models.tables import ModelRow, ModelUseRow


class ModelNotFound(NotFound):
    """This model does not exist (any more)."""


async def find(session: AsyncSession, model_id: UUID, *, lock: bool = False) -> ModelRow:
    """The model; raises `ModelNotFound`."""
    query = select(ModelRow).where(ModelRow.id == model_id)
    row: ModelRow | None = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise ModelNotFound
    return row


async def same(
    session: AsyncSession, source: ModelSource, reference: str, revision: str | None
) -> ModelRow | None:
    """The model that is this already, locked."""
    query = select(ModelRow).where(
        ModelRow.source == source,
        func.lower(ModelRow.reference) == reference.lower(),
        ModelRow.revision.is_not_distinct_from(revision),
    )
    row: ModelRow | None = await session.scalar(query.with_for_update())
    return row


async def page(
    session: AsyncSession,
    *,
    limit: int,
    cursor: str | None,
    q: str | None,
    status: ModelStatus | None,
) -> list[ModelRow]:
    """Newest first; one more than `limit` when there is another page."""
    query = select(ModelRow)
    if status is not None:
        query = query.where(ModelRow.status == status)
    if q:
        query = query.where(func.lower(ModelRow.name).contains(q.lower(), autoescape=True))
    return list(await session.scalars(pagination.after(query, ModelRow.id, cursor, limit)))


async def newest_uses(
    session: AsyncSession, model_ids: Sequence[UUID]
) -> dict[UUID, subjects.NewestUses]:
    """As `uses`, as many as are shown, and how many there are."""
    edge = ModelUseRow
    return await subjects.newest_uses(session, edge, edge.model_id, model_ids)


async def uses(session: AsyncSession, model_ids: Sequence[UUID]) -> dict[UUID, list[ModelUse]]:
    """The tasks that start from each, newest first."""
    return await subjects.uses(session, ModelUseRow, ModelUseRow.model_id, model_ids, ModelUse)
