"""From rows of the database to what the API shows."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import job_trouble, queries
from backend.datasets.hubs.schemas import source_of
from backend.datasets.job_trouble import Work
from backend.datasets.schemas import (
    Counts,
    Dataset,
    DatasetEntry,
    DatasetError,
    DatasetStatus,
    DatasetUse,
    DatasetWork,
    Mapping,
    Preparation,
    ReadingOptions,
    StoredFile,
)
from backend.datasets.tables import DatasetRow
from backend.jobs import subjects
from backend.jobs.subjects import NO_USES
from training_engine.contract.choices import RECORD_TYPES_OF, Objective

USES = TypeAdapter(list[DatasetUse])


async def view_of(session: AsyncSession, row: DatasetRow) -> Dataset:
    """One data set."""
    return (await views_of(session, [row]))[0]


async def views_of(session: AsyncSession, rows: Sequence[DatasetRow]) -> list[Dataset]:
    """Data sets with their uses and the progress of their imports, in six queries for all."""
    ids = [row.id for row in rows]
    uses = await queries.newest_uses(session, ids) if ids else {}
    same = await queries.same_as(session, ids) if ids else {}
    importing = [row.id for row in rows if row.status == DatasetStatus.IMPORTING]
    busy = [*importing, *(row.id for row in rows if row.preparation is not None)]
    work = await subjects.work(session, busy, *queries.ARRIVING) if busy else {}
    progress = {id_: each.progress for id_, each in work.items()}
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
            files=[StoredFile.model_validate(file) for file in row.files],
            same_as=same.get(row.id),
            encoding=row.encoding,
            sha256=row.sha256,
            status=DatasetStatus(row.status),
            progress=progress.get(row.id, 0.0) if row.id in importing else None,
            work=_work(work.get(row.id)),
            error=DatasetError.model_validate(error_of(row)) if row.error else None,
            preparation=_preparation(row, progress.get(row.id, 0.0)),
            counts=Counts.model_validate(row.counts),
            mapping=Mapping.model_validate(row.mapping) if row.mapping else None,
            options=ReadingOptions.model_validate(row.options) if row.options else None,
            columns=row.columns,
            entry=row.entry,
            entries=[DatasetEntry.model_validate(each) for each in row.entries],
            max_dropped_rows=row.max_dropped_rows,
            source=source_of(row.source),
            used_by=USES.validate_json(uses.get(row.id, NO_USES).json),
            used_by_count=uses.get(row.id, NO_USES).total,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def error_of(row: DatasetRow) -> dict[str, Any] | None:
    """Why it is blocked or has failed, in words about data."""
    if row.error is None:
        return None
    if row.source is not None:
        return job_trouble.told(row.error, Work.FETCH)
    return job_trouble.told(row.error, Work.IMPORT if row.filename else Work.PREPARATION)


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
        error=DatasetError.model_validate(job_trouble.told(error, Work.PREPARATION))
        if error is not None
        else None,
    )


def _work(found: subjects.Work | None) -> DatasetWork | None:
    if found is None:
        return None
    rows = found.metrics.get("rows")
    return DatasetWork(
        progress=found.progress,
        rows=None if rows is None else int(rows),
        rows_per_s=found.metrics.get("rows_per_s"),
        eta_s=found.eta_s,
    )
