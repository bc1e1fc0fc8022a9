"""HTTP of data sets."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import FileResponse

from backend import pagination
from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep, again_on_conflict, transaction
from backend.datasets import examples, files, pages, queries, service, uploads, view
from backend.datasets.hubs.request import HUB_BODY, from_hub, is_json, json_body
from backend.datasets.reading.desk import ReadingDesk
from backend.datasets.schemas import (
    Counts,
    Dataset,
    DatasetReport,
    DatasetRows,
    DatasetStatistics,
    DatasetStatus,
    DatasetUpdate,
    Example,
    ExampleRequest,
)
from backend.datasets.tables import DatasetRow
from backend.datasets.versions.names import REPORT_FILE
from backend.errors import NotFound
from backend.jobs import run_folder, whole_folders
from backend.pagination import Cursor, Limit, Page

router = APIRouter(prefix="/datasets", tags=["datasets"])

Key = Annotated[str | None, Header(alias="Idempotency-Key")]
# A file of a user is never shown inside our pages, whatever it claims to be.
ATTACHMENT = {"Content-Security-Policy": "sandbox; default-src 'none'"}
UPLOAD_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "title": "File"},
                        "name": {"type": "string", "maxLength": 200},
                        "description": {"type": "string", "default": "", "maxLength": 5000},
                        "mapping": {"type": "string", "description": "Mapping as JSON"},
                        "max_dropped_rows": {"type": "integer", "minimum": 0, "default": 0},
                    },
                }
            },
            "application/json": {"schema": HUB_BODY},
        },
    }
}


class Download(FileResponse):
    """Bytes of a user."""

    media_type = "application/octet-stream"


class NothingToDownload(NotFound):
    """This file is not there (any more)."""


@router.post("", status_code=202, openapi_extra=UPLOAD_FORM)
async def create_dataset(
    request: Request, user: CurrentUser, idempotency_key: Key = None
) -> Dataset:
    """Upload a file and import it, or fetch one from a hub. A file goes to disk as it comes."""
    if is_json(request):
        return await from_hub(request, user, await json_body(request), idempotency_key)
    return await uploads.from_request(request, user, idempotency_key)


@router.get("/examples")
def list_examples(_user: CurrentUser) -> list[Example]:
    """Data sets that come with EasyTune."""
    return examples.all_examples()


@router.post("/examples", status_code=202)
async def add_example(
    request: Request, user: CurrentUser, body: ExampleRequest, idempotency_key: Key = None
) -> Dataset:
    """Add a copy of an example."""
    state = request.app.state
    return await uploads.from_example(
        state.sessions, user, state.settings, body.example, idempotency_key
    )


@router.get("")
async def list_datasets(
    session: SessionDep,
    user: CurrentUser,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    status: DatasetStatus | None = None,
) -> Page[Dataset]:
    """Data sets that the user may see, newest first; `q` looks in name, description, file name."""
    rows = await queries.page(session, user, limit=limit, cursor=cursor, q=q, status=status)
    kept, last = pagination.cut(rows, limit)
    return Page(
        items=await view.views_of(session, kept), next_cursor=str(last.id) if last else None
    )


@router.get("/{dataset_id}")
async def get_dataset(session: SessionDep, user: CurrentUser, dataset_id: UUID) -> Dataset:
    """One data set."""
    return await view.view_of(session, await queries.find(session, user, dataset_id))


@router.patch("/{dataset_id}")
async def update_dataset(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    dataset_id: UUID,
    body: DatasetUpdate,
) -> Dataset:
    """Rename, describe, allow dropped rows, or import again with a mapping."""
    settings = request.app.state.settings
    row = await service.update(session, user, settings, dataset_id, body)
    return await view.view_of(session, row)


@router.delete("/{dataset_id}", status_code=204)
async def delete_dataset(request: Request, user: CurrentUser, dataset_id: UUID) -> None:
    """Delete a data set that no unfinished task uses, with its files."""
    state = request.app.state

    @again_on_conflict
    async def delete() -> list[UUID]:
        async with transaction(state.sessions) as session:
            return await service.delete(session, user, dataset_id)

    ended = await delete()
    # Only now, that nothing can bring the rows back.
    await asyncio.to_thread(whole_folders.remove, files.dataset_dir(state.settings, dataset_id))
    for job_id in ended:
        await asyncio.to_thread(run_folder.remove_all, state.settings.runs_dir, job_id)


async def _found(request: Request, user: CurrentUser, dataset_id: UUID) -> tuple[DatasetRow, Path]:
    """The data set and its newest version's files; the transaction ends before they are read."""
    state = request.app.state
    async with transaction(state.sessions) as session:
        row = await queries.find(session, user, dataset_id)
    return row, files.version_dir(state.settings, row.id, row.version)


@router.get("/{dataset_id}/rows")
async def get_dataset_rows(
    request: Request,
    user: CurrentUser,
    dataset_id: UUID,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Limit = 100,
    q: Annotated[str | None, Query(max_length=200)] = None,
) -> DatasetRows:
    """A window of canonical records, or of those with `q` in a text. While a mapping is needed:
    the first rows as the file has them."""
    row, folder = await _found(request, user, dataset_id)
    desk: ReadingDesk = request.app.state.reading_desk
    found = await (desk.search(folder, q, offset, limit) if q else desk.rows(folder, offset, limit))
    show = pages.as_it_is if row.status == DatasetStatus.NEEDS_MAPPING else pages.record_of
    items = [show(each) for each in found["items"]]
    return DatasetRows(items=items, total=found["total"], offset=offset)


@router.get("/{dataset_id}/report")
async def get_dataset_report(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    dataset_id: UUID,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Limit = 100,
    action: Literal["repaired", "dropped"] | None = None,
    rule: Annotated[str | None, Query(max_length=100)] = None,
) -> DatasetReport:
    """Exact counts, and each row that was not simply kept (the first 100,000)."""
    row = await queries.find(session, user, dataset_id)
    folder = files.version_dir(request.app.state.settings, row.id, row.version)

    def keep(item: dict[str, Any]) -> bool:
        return (action is None or item["action"] == action) and (
            rule is None or item["rule"] == rule
        )

    chosen = keep if action is not None or rule is not None else None
    items, total = await asyncio.to_thread(pages.report, folder, offset, limit, chosen)
    counts = Counts.model_validate(row.counts)
    return DatasetReport(
        counts=counts,
        total_rows=counts.kept + counts.repaired + counts.dropped,
        rules=row.rules,
        items=items,
        total_items=total,
        offset=offset,
        format=row.format,
        encoding=row.encoding,
        delimiter=row.delimiter,
        detected_because=row.detected_because,
    )


@router.get("/{dataset_id}/report/download", response_class=Download)
async def download_dataset_report(
    request: Request, user: CurrentUser, dataset_id: UUID
) -> Download:
    """The whole report, one JSON object per line."""
    _, folder = await _found(request, user, dataset_id)
    return _attachment(folder / REPORT_FILE, f"report-{dataset_id}.jsonl")


@router.get("/{dataset_id}/statistics")
async def get_dataset_statistics(
    request: Request, user: CurrentUser, dataset_id: UUID
) -> DatasetStatistics:
    """What was counted at the import."""
    _, folder = await _found(request, user, dataset_id)
    return await asyncio.to_thread(pages.statistics, folder)


@router.get("/{dataset_id}/file", response_class=Download)
async def download_dataset_file(request: Request, user: CurrentUser, dataset_id: UUID) -> Download:
    """The file as it was uploaded."""
    state = request.app.state
    async with transaction(state.sessions) as session:
        row = await queries.find(session, user, dataset_id)
    return _attachment(files.upload_file(state.settings, row.id), row.filename or "upload")


def _attachment(path: Path, filename: str) -> Download:
    if not path.is_file():
        raise NothingToDownload
    # Named here too: a file's type is otherwise guessed from its name.
    return Download(path, media_type=Download.media_type, filename=filename, headers=ATTACHMENT)
