"""What can be done with exports. Each is a job of its own that reads the output of a run."""

import shutil
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.errors import NotFound, Refused, TooMany
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs.schemas import TERMINAL, Slot
from backend.jobs.tables import JobRow
from backend.models.service import RESERVE_BYTES, NotEnoughDisk
from backend.models.tables import ModelRow
from backend.settings import Settings
from backend.tasks import queries
from backend.tasks.export_choices import Sources, against_it, size_of, sources_of
from backend.tasks.export_schemas import Export, ExportCreate
from backend.tasks.queries import Found
from backend.tasks.schemas import TaskError
from backend.tasks.tables import ExportRow
from training_engine.contract.exports import (
    DEFAULT_SHARD_BYTES,
    ExportFormat,
    ExportSpec,
)
from training_engine.contract.spec import ModelReference

EXPORT = "export"
MAX_UNFINISHED = 8
# Bytes for each number while the export is checked, in half precision.
CHECK_BYTES = 2.6
OF_THE_RUNNER = {"kind", "run_id", "attempt"}


class ExportNotFound(NotFound):
    """This export does not exist, or it is not yours."""


class ExportNotReady(Refused):
    """This export is {status}; it can be downloaded when it is COMPLETED."""


class ExportGone(NotFound):
    """The files of this export are no longer in the data folder; export again."""


class FormatUnavailable(Refused):
    """This model can not be exported so: {reason}"""


class TooManyExports(TooMany):
    """{count} exports of this task wait or run; wait for one to end, or delete one."""


async def create(
    session: AsyncSession, settings: Settings, user: UserRow, task_id: UUID, body: ExportCreate
) -> Export:
    """Queue an export; one that waits or runs already with the same wishes is that one.

    Raises `NoArtifact`, `ArtifactGone`, `FormatUnavailable`, `NotEnoughDisk`, `TooManyExports`.
    """
    found = await queries.find(session, user, task_id, Action.RUN)
    sources = await sources_of(settings, found)
    if (against := against_it(body.format, found, sources)) is not None:
        raise FormatUnavailable(
            against.message, params={"reason": against.message, "why": against.code}
        )
    await jobs.get(session, found.job.id, lock=True)  # two requests at once, one after the other
    live = [(row, job) for row, job in await _rows(session, task_id) if job.status not in TERMINAL]
    shards = body.max_shard_bytes if body.format is ExportFormat.MERGED else None
    wish = (found.completed_attempt, body.format, shards)
    for row, job in live:
        if (row.attempt, row.format, row.max_shard_bytes) == wish:
            return view(found, row, job)
    if len(live) >= MAX_UNFINISHED:
        raise TooManyExports(params={"count": len(live)})
    model = await session.get(ModelRow, found.row.model_id)
    _require_space(settings, found, sources, body.format, model)
    row, job = await _enqueue(session, found, sources, body.format, shards, model)
    return view(found, row, job)


def _require_space(
    settings: Settings,
    found: Found,
    sources: Sources,
    format: ExportFormat,
    model: ModelRow | None,
) -> None:
    size, whole = size_of(format, model), size_of(ExportFormat.MERGED, model)
    if size is None:
        return  # the job looks itself
    needed = size + (whole or 0 if sources.adapter else 0)
    free = shutil.disk_usage(settings.runs_dir).free - RESERVE_BYTES
    if needed > free:
        raise NotEnoughDisk(
            params={
                "name": found.row.output_name,
                "needed_gb": round(needed / 1e9, 1),
                "free_gb": round(max(0, free) / 1e9, 1),
            }
        )


async def _enqueue(
    session: AsyncSession,
    found: Found,
    sources: Sources,
    format: ExportFormat,
    shards: int | None,
    model: ModelRow | None,
) -> tuple[ExportRow, JobRow]:
    export_id = new_id()
    spec = ExportSpec(
        run_id="",
        name=found.row.output_name,
        source=str(sources.output),
        base=ModelReference.model_validate(found.job.spec["model"]),
        format=format,
        max_shard_bytes=shards or DEFAULT_SHARD_BYTES,
    )
    numbers = model.num_parameters if model is not None else None
    job = await jobs.enqueue(
        session,
        kind=EXPORT,
        spec=spec.model_dump(mode="json", exclude=OF_THE_RUNNER),
        slot=Slot.LIGHT,
        owner_id=found.row.owner_id,
        subject_id=export_id,
        memory_bytes=int(numbers * CHECK_BYTES) if numbers else None,
    )
    row = ExportRow(
        id=export_id,
        task_id=found.row.id,
        job_id=job.id,
        attempt=found.completed_attempt,
        format=format.value,
        max_shard_bytes=shards,
    )
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return row, job


async def _rows(session: AsyncSession, task_id: UUID) -> Sequence[tuple[ExportRow, JobRow]]:
    """The exports of a task with their jobs, newest first."""
    query = (
        select(ExportRow, JobRow)
        .join(JobRow, JobRow.id == ExportRow.job_id)
        .where(ExportRow.task_id == task_id)
        .order_by(ExportRow.id.desc())
    )
    return [(row, job) for row, job in await session.execute(query)]


async def list_all(session: AsyncSession, user: UserRow, task_id: UUID) -> list[Export]:
    """Every export of a task, newest first."""
    found = await queries.find(session, user, task_id)
    return [view(found, row, job) for row, job in await _rows(session, task_id)]


async def find(
    session: AsyncSession,
    user: UserRow,
    task_id: UUID,
    export_id: UUID,
    action: Action = Action.READ,
) -> tuple[Found, ExportRow, JobRow]:
    """An export of a task that `user` may do `action` to; raises `ExportNotFound`."""
    found = await queries.find(session, user, task_id, action)
    for row, job in await _rows(session, task_id):
        if row.id == export_id:
            return found, row, job
    raise ExportNotFound


async def delete(
    session: AsyncSession, user: UserRow, task_id: UUID, export_id: UUID
) -> list[UUID]:
    """Forget an export; one that runs is stopped. Returns jobs whose folders can go then."""
    await find(session, user, task_id, export_id, Action.DELETE)
    return await _forget(session, [export_id])


async def forget_all(session: AsyncSession, task_id: UUID) -> list[UUID]:
    """A task is being deleted: its exports go with it. Returns as `delete`."""
    query = select(ExportRow.id).where(ExportRow.task_id == task_id)
    return await _forget(session, list(await session.scalars(query)))


async def _forget(session: AsyncSession, export_ids: Sequence[UUID]) -> list[UUID]:
    ended = []
    for export_id in export_ids:
        ended += await jobs.forget(session, export_id)
        await session.execute(delete_rows(ExportRow).where(ExportRow.id == export_id))
    return ended


def filename(found: Found, format: str) -> str:
    """What the download is called: a GGUF file, or a zip of a model folder."""
    name = found.row.output_name
    if format == ExportFormat.MERGED:
        return f"{name}-merged.zip"
    return f"{name}-{format.removeprefix('gguf_').upper()}.gguf"


def view(found: Found, row: ExportRow, job: JobRow) -> Export:
    """An export as the API shows it."""
    return Export.model_validate(
        {
            "id": row.id,
            "task_id": row.task_id,
            "format": row.format,
            "max_shard_bytes": row.max_shard_bytes,
            "attempt": row.attempt,
            "status": job.status,
            "progress": job.progress,
            "detail": job.detail,
            "size_bytes": row.size_bytes,
            "filename": filename(found, row.format),
            "checks": row.checks,
            "error": TaskError.model_validate(job.error) if job.error else None,
            "created_at": row.created_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
        }
    )
