"""Finding base models. They belong to the installation: every user sees all of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import pagination
from backend.errors import NotFound
from backend.jobs.schemas import TERMINAL, JobStatus
from backend.jobs.tables import JobRow
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


async def uses(session: AsyncSession, model_ids: Sequence[UUID]) -> dict[UUID, list[ModelUse]]:
    """The tasks that start from each, newest first."""
    query = (
        select(ModelUseRow, JobRow.status)
        .join(JobRow, JobRow.id == ModelUseRow.job_id)
        .where(ModelUseRow.model_id.in_(model_ids))
        .order_by(ModelUseRow.task_id.desc())
    )
    found: dict[UUID, list[ModelUse]] = {}
    for edge, status in await session.execute(query):
        use = ModelUse(task_id=edge.task_id, name=edge.task_name, status=status)
        found.setdefault(edge.model_id, []).append(use)
    return found


def live(found: Sequence[ModelUse]) -> list[ModelUse]:
    """Those whose task has not ended."""
    return [use for use in found if JobStatus(use.status) not in TERMINAL]


async def progress(session: AsyncSession, model_ids: Sequence[UUID]) -> dict[UUID, float]:
    """How far downloads and conversions are that have not ended, 0–1."""
    query = select(JobRow.subject_id, JobRow.progress).where(
        JobRow.subject_id.in_(model_ids), JobRow.status.not_in(TERMINAL)
    )
    return {row.subject_id: row.progress for row in await session.execute(query)}
