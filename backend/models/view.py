"""From rows of the database to what the API shows."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs import subjects
from backend.models import queries
from backend.models.abilities import objectives_of
from backend.models.schemas import Model, ModelError, ModelSource, ModelStatus
from backend.models.tables import ModelRow
from training_engine.contract.choices import Method, Objective

_UNDER_WAY = frozenset({ModelStatus.DOWNLOADING, ModelStatus.CONVERTING})


async def view_of(session: AsyncSession, row: ModelRow) -> Model:
    """One model."""
    return (await views_of(session, [row]))[0]


async def views_of(session: AsyncSession, rows: Sequence[ModelRow]) -> list[Model]:
    """Models with their uses and progress, in three queries for all."""
    ids = [row.id for row in rows]
    uses = await queries.uses(session, ids) if ids else {}
    under_way = [row.id for row in rows if row.status in _UNDER_WAY]
    progress = await subjects.progress(session, under_way) if under_way else {}
    return [
        Model(
            id=row.id,
            name=row.name,
            source=ModelSource(row.source),
            reference=row.reference,
            revision=row.revision,
            status=ModelStatus(row.status),
            progress=progress.get(row.id, 0.0) if row.id in under_way else None,
            error=ModelError.model_validate(row.error) if row.error else None,
            architecture=row.architecture,
            num_parameters=row.num_parameters,
            context_length=row.context_length,
            size_bytes=row.size_bytes,
            licence=row.licence,
            has_chat_template=row.has_chat_template,
            objectives=objectives(row),
            methods=list(Method) if objectives(row) else [],
            used_by=uses.get(row.id, []),
            created_at=row.created_at,
        )
        for row in rows
    ]


def objectives(row: ModelRow) -> list[Objective]:
    """What the model can be trained for; nothing before it is ready."""
    return objectives_of(row.architecture) if row.status == ModelStatus.READY else []
