"""Asking for a version that is made of others, and giving that up again."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.datasets import files, queries, version_service
from backend.datasets.prepare_schemas import PrepareRequest
from backend.datasets.preparing.asked import Asked, Rows, resolve
from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow
from backend.errors import NotFound
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs.schemas import TERMINAL, Slot
from backend.settings import Settings

STOPPED = {
    "code": "preparation_stopped",
    "message": "The preparation was stopped before it had ended.",
    "hint": "Prepare the data set again.",
}


class NothingPrepared(NotFound):
    """No version of this data set is being made, and none has failed."""


async def prepare(
    session: AsyncSession,
    user: UserRow,
    settings: Settings,
    dataset_id: UUID,
    body: PrepareRequest,
) -> DatasetRow:
    """Queue the preparation; the data set that gets the version.

    Raises what `resolve` does, and `DatasetBusy` while a version of it is being made.
    """
    if body.name is not None:
        policy.require(user, Action.CREATE, user.id)
        row = await queries.find(session, user, dataset_id)
        asked = await resolve(session, settings, user, row, body)
        target = _new(user, body)
        session.add(target)
        version, parent, sources = 1, None, [asked.base, *asked.every_source()]
        await session.flush()
    else:
        row = await queries.find(session, user, dataset_id, Action.CHANGE, lock=True)
        version_service.require_rest(row)
        asked = await resolve(session, settings, user, row, body)
        target, parent, sources = row, asked.base.version, asked.every_source()
        version = await version_service.next_number(session, row)
        row.preparation = {"steps": asked.steps_as_json(), "version": version, "error": None}
    await jobs.enqueue(
        session,
        kind=queries.PREPARE,
        spec=_spec(settings, target, asked, version, parent, sources),
        slot=Slot.LIGHT,
        owner_id=user.id,
        subject_id=target.id,
        priority=10,  # somebody is watching
    )
    await session.flush()
    return target


def _new(user: UserRow, body: PrepareRequest) -> DatasetRow:
    return DatasetRow(
        id=new_id(),
        owner_id=user.id,
        name=body.name,
        description=body.description or "",
        filename=None,
        size_bytes=0,
        upload_sha256="",
        status=DatasetStatus.IMPORTING,
    )


def _spec(
    settings: Settings,
    target: DatasetRow,
    asked: Asked,
    version: int,
    parent: int | None,
    sources: list[Rows],
) -> dict[str, Any]:
    """All that the preparation depends on."""
    return {
        "staging": str(files.staging_dir(settings, target.id)),
        "version": version,
        "parent": parent,
        "base": asked.base.as_json(),
        "record_type": asked.record_type,
        "steps": asked.steps_as_json(),
        "step_sources": [[each.as_json() for each in rows] for rows in asked.sources],
        "sources": [each.lineage() for each in sources],
        # These are not deleted meanwhile.
        "reads": [
            {"dataset_id": each.dataset_id, "version": each.version}
            for each in [asked.base, *asked.every_source()]
        ],
        "max_dropped_rows": target.max_dropped_rows or 0,
        "columns": target.columns or [],
    }


async def give_up(session: AsyncSession, user: UserRow, dataset_id: UUID) -> DatasetRow:
    """Stop the preparation that runs, or forget the one that failed."""
    await queries.find(session, user, dataset_id, Action.CHANGE)
    # The job is locked before the row, as by whoever writes how it ended.
    job = await jobs.newest_of(session, dataset_id, queries.PREPARE)
    lives = job is not None and job.status not in TERMINAL
    if job is not None and lives:
        job = await jobs.request_stop(session, job.id, save=False)
    row = await queries.find(session, user, dataset_id, Action.CHANGE, lock=True)
    if row.preparation is None and not lives:
        raise NothingPrepared
    if job is None or job.status in TERMINAL:
        row.preparation = None
        if lives and row.status == DatasetStatus.IMPORTING:  # there is no version of it yet
            row.status, row.error = DatasetStatus.FAILED, {**STOPPED, "params": {}}
    await session.flush()
    return row
