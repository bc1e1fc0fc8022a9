"""What can be done with data sets. Imports run as jobs; here rows are written and files are put."""

import asyncio
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.datasets import files, queries
from backend.datasets.importers import mapped
from backend.datasets.importing.verdict import verdict
from backend.datasets.schemas import (
    DatasetStatus,
    DatasetUpdate,
    Description,
    Mapping,
    Name,
)
from backend.datasets.tables import DatasetRow
from backend.errors import Conflict, FieldError, Refused
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs import subjects, whole_folders
from backend.jobs.schemas import Slot
from backend.settings import Settings

MAX_NAME = 200
# The version's rows are there, whatever the verdict on the dropped ones.
_JUDGED = frozenset({DatasetStatus.READY, DatasetStatus.BLOCKED})


class BadMapping(Refused):
    """These columns do not make a record: {reason}"""


class DatasetBusy(Conflict):
    """This data set is being imported; wait until that has ended."""


class DatasetInUse(Conflict):
    """{count} tasks that have not ended use this data set: {names}. Stop them first, or wait."""


class DatasetForm(BaseModel):
    """What comes beside the file."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Description = ""
    mapping: Mapping | None = None
    max_dropped_rows: Annotated[int, Field(ge=0, le=2**62)] = 0


@dataclass(frozen=True)
class NewFile:
    """A file in quarantine, to become a data set."""

    path: Path
    filename: str
    size_bytes: int
    sha256: str


async def create(
    session: AsyncSession,
    user: UserRow,
    settings: Settings,
    file: NewFile,
    form: DatasetForm,
    *,
    queue: bool = True,
) -> DatasetRow:
    """Take the file over and queue its import; `discard` undoes it when the commit fails.

    Without `queue` the caller has imported it and says in the same transaction what was found.
    """
    _require_parts(form.mapping, [])
    row = DatasetRow(
        id=new_id(),
        owner_id=user.id,
        name=form.name or (PurePosixPath(file.filename).stem or file.filename)[:MAX_NAME],
        description=form.description,
        filename=file.filename,
        size_bytes=file.size_bytes,
        upload_sha256=file.sha256,
        mapping=form.mapping.model_dump(mode="json") if form.mapping else None,
        max_dropped_rows=form.max_dropped_rows,
        status=DatasetStatus.IMPORTING,
    )
    session.add(row)
    await session.flush()
    if queue:
        await _enqueue(session, settings, row, version=1)
    target = files.upload_file(settings, row.id)
    target.parent.mkdir(parents=True, mode=0o700)
    file.path.rename(target)
    return row


async def discard(settings: Settings, dataset_id: UUID) -> None:
    """Remove the files of a data set that is not in the database."""
    await asyncio.to_thread(whole_folders.remove, files.dataset_dir(settings, dataset_id))


async def update(
    session: AsyncSession,
    user: UserRow,
    settings: Settings,
    dataset_id: UUID,
    body: DatasetUpdate,
) -> DatasetRow:
    """Rename, describe, allow more dropped rows, or import again with another mapping.

    A mapping of null goes back to what is recognised. Raises `DatasetBusy`, `BadMapping`.
    """
    row = await queries.find(session, user, dataset_id, Action.CHANGE, lock=True)
    if body.name is not None:
        row.name = body.name
    if body.description is not None:
        row.description = body.description
    wants_import = "mapping" in body.model_fields_set
    if (wants_import or body.max_dropped_rows is not None) and (
        row.status == DatasetStatus.IMPORTING
    ):
        raise DatasetBusy
    if body.max_dropped_rows is not None:
        row.max_dropped_rows = body.max_dropped_rows
        if row.status in _JUDGED:
            judged = verdict(row.counts["dropped"], body.max_dropped_rows)
            row.status, row.error = judged["status"], judged["error"]
    if wants_import:
        _require_parts(body.mapping, row.columns)
        row.mapping = body.mapping.model_dump(mode="json") if body.mapping else None
        await _import_again(session, settings, row)
    await session.flush()
    return row


async def _import_again(session: AsyncSession, settings: Settings, row: DatasetRow) -> None:
    """A version that was ready stays as it is for those who use it; the next one gets a number."""
    version = row.version + 1 if row.status == DatasetStatus.READY else row.version
    row.status, row.error = DatasetStatus.IMPORTING, None
    await _enqueue(session, settings, row, version)


async def _enqueue(
    session: AsyncSession, settings: Settings, row: DatasetRow, version: int
) -> None:
    await jobs.enqueue(
        session,
        kind=queries.IMPORT,
        spec=import_spec(settings, row, version),
        slot=Slot.LIGHT,
        owner_id=row.owner_id,
        subject_id=row.id,
        priority=10,  # somebody is watching; a download can wait a second
    )


def import_spec(settings: Settings, row: DatasetRow, version: int) -> dict[str, Any]:
    """All that an import depends on."""
    return {
        "upload": str(files.upload_file(settings, row.id)),
        "staging": str(files.staging_dir(settings, row.id)),
        "version": version,
        "filename": row.filename or files.UPLOAD_FILE,
        "mapping": row.mapping,
        "max_dropped_rows": row.max_dropped_rows,
    }


def _require_parts(mapping: Mapping | None, seen: list[str]) -> None:
    """Raise `BadMapping` for what can be known before the file is read."""
    if mapping is None:
        return
    given = mapping.model_dump(mode="json")
    reason = mapped.wrong_mapping(given)
    unknown = mapped.missing_column(given["columns"], seen) if seen else None
    if reason is None and unknown:
        reason = f"the file has no column “{unknown[1]}”."
    if reason is not None:
        error = FieldError(pointer="/mapping/columns", code="bad_mapping", message=reason)
        raise BadMapping(params={"reason": reason}, errors=[error])


async def delete(session: AsyncSession, user: UserRow, dataset_id: UUID) -> list[UUID]:
    """Delete the rows; returns the jobs whose run folders may go once this is committed.

    An import that still runs is stopped. Raises `DatasetInUse` while a task that has not ended
    uses it.
    """
    await queries.find(session, user, dataset_id, Action.DELETE)
    # The jobs are locked before the row, as by whoever writes how an import ended.
    ended = await jobs.forget(session, dataset_id)
    row = await queries.find(session, user, dataset_id, Action.DELETE, lock=True)
    users = subjects.live((await queries.uses(session, [row.id])).get(row.id, []))
    if users:
        raise DatasetInUse(**subjects.in_use(users))
    await session.delete(row)
    await session.flush()
    return ended
