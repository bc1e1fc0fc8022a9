"""From rows of the database to what the API shows."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import queries
from backend.datasets.schemas import (
    Counts,
    Dataset,
    DatasetError,
    DatasetStatus,
    Mapping,
    Preparation,
)
from backend.datasets.tables import DatasetRow
from backend.jobs import subjects
from training_engine.contract.choices import RECORD_TYPES_OF, Objective


async def view_of(session: AsyncSession, row: DatasetRow) -> Dataset:
    """One data set."""
    return (await views_of(session, [row]))[0]


async def views_of(session: AsyncSession, rows: Sequence[DatasetRow]) -> list[Dataset]:
    """Data sets with their uses and the progress of their imports, in three queries for all."""
    ids = [row.id for row in rows]
    uses = await queries.uses(session, ids) if ids else {}
    importing = [row.id for row in rows if row.status == DatasetStatus.IMPORTING]
    busy = [*importing, *(row.id for row in rows if row.preparation is not None)]
    kinds = (queries.IMPORT, queries.PREPARE)
    progress = await subjects.progress(session, busy, *kinds) if busy else {}
    return [
        Dataset(
            id=row.id,
            name=row.name,
            description=row.description,
            version=row.version,
            format=row.format,
            record_type=row.record_type,
            objectives=[o for o in Objective if row.record_type in RECORD_TYPES_OF[o]],
            num_rows=row.num_rows,
            size_bytes=row.size_bytes,
            filename=row.filename,
            encoding=row.encoding,
            sha256=row.sha256,
            status=DatasetStatus(row.status),
            progress=progress.get(row.id, 0.0) if row.id in importing else None,
            error=DatasetError.model_validate(row.error) if row.error else None,
            preparation=_preparation(row, progress.get(row.id, 0.0)),
            counts=Counts.model_validate(row.counts),
            mapping=Mapping.model_validate(row.mapping) if row.mapping else None,
            columns=row.columns,
            max_dropped_rows=row.max_dropped_rows,
            used_by=uses.get(row.id, []),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def _preparation(row: DatasetRow, progress: float) -> Preparation | None:
    """The version that is being made, or why it could not be."""
    if row.preparation is None:
        return None
    error = row.preparation["error"]
    return Preparation(
        status="running" if error is None else "failed",
        progress=progress if error is None else None,
        version=row.preparation["version"],
        steps=row.preparation["steps"],
        error=DatasetError.model_validate(error) if error is not None else None,
    )
