"""What can be done with data sets. Imports run as jobs; here rows are written and files are put."""

import asyncio
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.datasets import files, import_queue, queries, version_service
from backend.datasets.hubs import queue as hub_queue
from backend.datasets.hubs.queue import HubChoice
from backend.datasets.importers import mapped
from backend.datasets.importing import outcome
from backend.datasets.importing.verdict import verdict
from backend.datasets.schemas import (
    DatasetStatus,
    DatasetUpdate,
    Description,
    Mapping,
    Name,
    ReadingOptions,
)
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading import allowance, storing
from backend.datasets.uploading.storing import NewFile
from backend.errors import Conflict, FieldError, Refused
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs import subjects, whole_folders
from backend.jobs.schemas import TERMINAL
from backend.settings import Settings

MAX_NAME = 200
# LLaMA-Factory's list of data sets: it describes the files beside it.
DESCRIBING_FILE = "dataset_info.json"
# The version's rows are there, whatever the verdict on the dropped ones.
_JUDGED = frozenset({DatasetStatus.READY, DatasetStatus.BLOCKED})


class BadMapping(Refused):
    """These columns do not make a record: {reason}"""


class NoUpload(Conflict):
    """This data set was made of others: there is no file to import again. Prepare it anew."""


class NothingUnderWay(Conflict):
    """Nothing is being imported here (any more)."""


class DatasetInUse(Conflict):
    """{count} tasks that have not ended use this data set: {names}. Stop them first, or wait."""


class DatasetForm(BaseModel):
    """What comes beside the file."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Description = ""
    mapping: Mapping | None = None
    options: ReadingOptions | None = None
    max_dropped_rows: Annotated[int, Field(ge=0, le=2**62)] = 0


async def create(
    session: AsyncSession,
    user: UserRow,
    settings: Settings,
    new: Sequence[NewFile],
    form: DatasetForm,
    *,
    queue: bool = True,
) -> DatasetRow:
    """Store the files and queue their import; `discard` undoes it when the commit fails.

    Those in quarantine are the caller's to remove. Without `queue` the caller has imported it and
    says in the same transaction what was found. Raises `BadMapping`, `QuotaExceeded`.
    """
    _require_parts(form.mapping, [])
    size_bytes = sum(file.size_bytes for file in new)
    await allowance.require_quota(session, settings, user.id, size_bytes)
    filename, sha256 = _main_name(new), storing.sha256_of(new)
    before = await storing.same_before(session, user.id, sha256, size_bytes)
    row = DatasetRow(
        id=new_id(),
        owner_id=user.id,
        name=form.name or (PurePosixPath(filename).stem or filename)[:MAX_NAME],
        description=form.description,
        filename=filename,
        files=_listed(new) if len(new) > 1 else [],
        size_bytes=size_bytes,
        upload_sha256=sha256,
        mapping=form.mapping.model_dump(mode="json") if form.mapping else None,
        options=_stored_options(form.options),
        max_dropped_rows=form.max_dropped_rows,
        status=DatasetStatus.IMPORTING,
    )
    session.add(row)
    await session.flush()
    if queue:
        await import_queue.enqueue(session, settings, row, version=1)
    try:
        await asyncio.to_thread(storing.store, settings, row, new, before)
    except BaseException:
        await discard(settings, row.id)
        raise
    return row


def _main_name(new: Sequence[NewFile]) -> str:
    """What the whole is called after: the first file that holds data."""
    names = [file.filename for file in new]
    return next((name for name in names if name != DESCRIBING_FILE), names[0])


def _listed(new: Sequence[NewFile]) -> list[dict[str, Any]]:
    return [
        {"filename": file.filename, "size_bytes": file.size_bytes, "sha256": file.sha256}
        for file in new
    ]


def _stored_options(options: ReadingOptions | None) -> dict[str, Any] | None:
    """Only what was said; nothing at all is None."""
    return (options.model_dump(mode="json", exclude_none=True) or None) if options else None


async def create_from_hub(
    session: AsyncSession, user: UserRow, settings: Settings, choice: HubChoice, form: DatasetForm
) -> DatasetRow:
    """A data set that is fetched by a job; `choice` is in order."""
    row = new_from_hub(user, choice, form)
    session.add(row)
    await session.flush()
    await hub_queue.enqueue(
        session, settings, row, import_queue.import_spec(settings, row, version=1)
    )
    return row


def new_from_hub(user: UserRow, choice: HubChoice, form: DatasetForm) -> DatasetRow:
    """The row of a data set of which nothing is here yet; raises `BadMapping`."""
    _require_parts(form.mapping, [])
    return DatasetRow(
        id=new_id(),
        owner_id=user.id,
        name=form.name or choice.reference[:MAX_NAME],
        description=form.description,
        size_bytes=0,
        upload_sha256="",
        mapping=form.mapping.model_dump(mode="json") if form.mapping else None,
        options=_stored_options(form.options),
        max_dropped_rows=form.max_dropped_rows,
        status=DatasetStatus.IMPORTING,
        source=choice.source,
    )


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
    """Rename, describe, allow more dropped rows, or import again with another mapping or options.

    A mapping or options of null go back to what is recognised; another choice at the hub fetches
    again. Raises `DatasetBusy`, `BadMapping`, `NotFromHub`.
    """
    row = await queries.find(session, user, dataset_id, Action.CHANGE, lock=True)
    wants_import = bool({"mapping", "options"} & body.model_fields_set)
    choice = body.model_dump(include={"subset", "split", "revision"}, exclude_unset=True)
    if wants_import or choice or body.max_dropped_rows is not None:
        version_service.require_rest(row)
    if body.name is not None:
        row.name = body.name
    if body.description is not None:
        row.description = body.description
    if body.max_dropped_rows is not None:
        row.max_dropped_rows = body.max_dropped_rows
        if row.status in _JUDGED:
            judged = verdict(row.counts["dropped"], body.max_dropped_rows)
            row.status, row.error = judged["status"], judged["error"]
            version = await version_service.find(session, row, row.version)
            version.status, version.max_dropped_rows = row.status, row.max_dropped_rows
    if "mapping" in body.model_fields_set:
        # Other options may show other columns.
        _require_parts(body.mapping, [] if "options" in body.model_fields_set else row.columns)
        row.mapping = body.mapping.model_dump(mode="json") if body.mapping else None
    if "options" in body.model_fields_set:
        row.options = _stored_options(body.options)
    if choice:
        hub_queue.chosen_again(settings, row, choice)
    if wants_import or choice:
        await _import_again(session, settings, row)
    await session.flush()
    return row


async def _import_again(session: AsyncSession, settings: Settings, row: DatasetRow) -> None:
    """A version that is there stays as it is for those who use it; the next one gets a number."""
    if row.filename is None and row.source is None:
        raise NoUpload
    version = await version_service.next_number(session, row)
    row.status, row.error = DatasetStatus.IMPORTING, None
    if row.source is not None and not row.source["files"]:  # nothing is here that could be read
        hub_queue.chosen_again(settings, row, {})
        await hub_queue.enqueue(
            session, settings, row, import_queue.import_spec(settings, row, version)
        )
        return
    await import_queue.enqueue(session, settings, row, version)


def _require_parts(mapping: Mapping | None, seen: list[str]) -> None:
    """Raise `BadMapping` for what can be known before the file is read."""
    if mapping is None:
        return
    given = mapping.model_dump(mode="json")
    reason = mapped.wrong_mapping(given)
    unknown = mapped.missing_column(given, seen) if seen else None
    if reason is None and unknown:
        reason = f"the file has no column “{unknown[1]}”."
    if reason is not None:
        error = FieldError(pointer="/mapping/columns", code="bad_mapping", message=reason)
        raise BadMapping(params={"reason": reason}, errors=[error])


async def stop(session: AsyncSession, user: UserRow, dataset_id: UUID) -> DatasetRow:
    """Stop the import that is under way; the version before it is shown again.

    Raises `NothingUnderWay`.
    """
    await queries.find(session, user, dataset_id, Action.CHANGE)
    # The job is locked before the row, as by whoever writes how it ended.
    job = await jobs.newest_of(session, dataset_id, queries.IMPORT, queries.FETCH)
    if job is None or job.status in TERMINAL:
        raise NothingUnderWay
    job = await jobs.request_stop(session, job.id, save=False)
    row = await queries.find(session, user, dataset_id, Action.CHANGE, lock=True)
    if job.status in TERMINAL:  # it had not begun
        await outcome.give_up(session, row)
        await session.flush()
    return row


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
