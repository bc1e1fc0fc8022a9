"""HTTP of versions: which there are, what changed between two, going back, deleting one."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep, again_on_conflict, transaction
from backend.datasets import files, pages, queries, version_service, view
from backend.datasets.reading.desk import ReadingDesk
from backend.datasets.schemas import Counts, Dataset, DatasetUse, Mapping, ReadingOptions
from backend.datasets.tables import DatasetRow, DatasetVersionRow
from backend.datasets.version_schemas import DatasetDiff, DatasetVersion, DiffItem, VersionSource
from backend.jobs import whole_folders
from backend.pagination import Page

router = APIRouter(prefix="/datasets/{dataset_id}/versions", tags=["datasets"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("")
async def list_dataset_versions(
    session: SessionDep, user: CurrentUser, dataset_id: UUID
) -> Page[DatasetVersion]:
    """All versions, newest first."""
    row = await queries.find(session, user, dataset_id)
    found = await version_service.listed(session, row)
    return Page(items=[_shown(row, *each) for each in found])


@router.get("/{version}/diff")
async def compare_dataset_versions(
    request: Request,
    user: CurrentUser,
    dataset_id: UUID,
    version: Number,
    against: Annotated[int, Query(ge=1, le=2**31 - 1)],
) -> DatasetDiff:
    """Rows that `version` has and `against` has not, and the reverse."""
    state = request.app.state
    async with transaction(state.sessions) as session:
        row = await queries.find(session, user, dataset_id)
        for number in (version, against):
            await version_service.find(session, row, number)
        mixed = await version_service.mixed(session, row, {version, against})
    folders = [files.version_dir(state.settings, row.id, number) for number in (against, version)]
    desk: ReadingDesk = state.reading_desk
    found = await desk.diff(*folders, mixed=mixed)
    items = [
        DiffItem(
            change=each["change"],
            before=each["before"] and pages.record_of(each["before"]).record,
            after=each["after"] and pages.record_of(each["after"]).record,
        )
        for each in found.pop("items")
    ]
    return DatasetDiff(version=version, against=against, **found, items=items)


@router.post("/{version}/restore")
async def restore_dataset_version(
    session: SessionDep, user: CurrentUser, dataset_id: UUID, version: Number
) -> Dataset:
    """Make an earlier version the current one again; no version is lost."""
    row = await version_service.restore(session, user, dataset_id, version)
    return await view.view_of(session, row)


@router.delete("/{version}", status_code=204)
async def delete_dataset_version(
    request: Request, user: CurrentUser, dataset_id: UUID, version: Number
) -> None:
    """Delete a version that is neither the current one nor in use, with its files."""
    state = request.app.state

    @again_on_conflict
    async def delete() -> None:
        async with transaction(state.sessions) as session:
            await version_service.delete(session, user, dataset_id, version)

    await delete()
    # Only now, that nothing can bring the row back.
    folder = files.version_dir(state.settings, dataset_id, version)
    await asyncio.to_thread(whole_folders.remove, folder)


def _shown(
    row: DatasetRow, version: DatasetVersionRow, made_by: str | None, uses: list[DatasetUse]
) -> DatasetVersion:
    return DatasetVersion(
        version=version.version,
        is_current=version.version == row.version,
        parent=version.parent,
        created_at=version.created_at,
        made_by=made_by,
        status=version.status,
        record_type=version.record_type,
        num_rows=version.num_rows,
        sha256=version.sha256,
        format=version.format,
        encoding=version.encoding,
        delimiter=version.delimiter,
        detected_because=version.detected_because,
        mapping=Mapping.model_validate(version.mapping) if version.mapping else None,
        options=ReadingOptions.model_validate(version.options) if version.options else None,
        counts=Counts.model_validate(version.counts),
        rules=version.rules,
        steps=version.steps,
        sources=[VersionSource.model_validate(each) for each in version.sources],
        splits={name: facts["num_rows"] for name, facts in version.splits.items()},
        used_by=uses,
    )
