"""HTTP of what is in a data set: rows, report, statistics and files of its versions."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse

from backend.accounts.dependencies import CurrentUser
from backend.database import transaction
from backend.datasets import files, pages, queries, version_service
from backend.datasets.content_schemas import DatasetReport, DatasetRows, DatasetStatistics
from backend.datasets.reading.desk import ReadingDesk
from backend.datasets.schemas import Counts, DatasetStatus
from backend.datasets.tables import DatasetRow, DatasetVersionRow
from backend.datasets.uploading.form import MAX_FILES
from backend.datasets.versions.names import REPORT_FILE
from backend.errors import NotFound
from backend.pagination import Limit

router = APIRouter(prefix="/datasets", tags=["datasets"])

Offset = Annotated[int, Query(ge=0, le=2**62)]
VersionNumber = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Default: the current version")
]
# A file of a user is never shown inside our pages, whatever it claims to be.
ATTACHMENT = {"Content-Security-Policy": "sandbox; default-src 'none'"}


class Download(FileResponse):
    """Bytes of a user."""

    media_type = "application/octet-stream"


class NothingToDownload(NotFound):
    """This file is not there (any more)."""


@dataclass(frozen=True)
class Content:
    """A version that may be looked at: `facts` say what is known of it, `folder` has its files."""

    row: DatasetRow
    facts: DatasetRow | DatasetVersionRow
    folder: Path


async def content_of(
    request: Request, user: CurrentUser, dataset_id: UUID, version: VersionNumber = None
) -> Content:
    """The version that is asked for; the transaction ends before its files are read."""
    state = request.app.state
    async with transaction(state.sessions) as session:
        row = await queries.find(session, user, dataset_id)
        facts: DatasetRow | DatasetVersionRow = row
        if version is not None and version != row.version:
            facts = await version_service.find(session, row, version)
    return Content(row, facts, files.version_dir(state.settings, row.id, facts.version))


Asked = Annotated[Content, Depends(content_of, scope="function")]


@router.get("/{dataset_id}/rows")
async def get_dataset_rows(
    request: Request,
    asked: Asked,
    offset: Offset = 0,
    limit: Limit = 100,
    q: Annotated[str | None, Query(max_length=200)] = None,
    split: Annotated[str | None, Query(max_length=64)] = None,
    line: Annotated[int | None, Query(ge=1, le=2**62, description="1-based, of the upload")] = None,
) -> DatasetRows:
    """A window of canonical records, or of those with `q` in a text, or of a split, or from a line.
    While a mapping is needed: the first rows as the file has them."""
    desk: ReadingDesk = request.app.state.reading_desk
    found = await desk.rows(asked.folder, offset, limit, query=q, split=split, line=line)
    raw = asked.facts.status == DatasetStatus.NEEDS_MAPPING
    items = [(pages.as_it_is if raw else pages.record_of)(each) for each in found["items"]]
    return DatasetRows(items=items, total=found["total"], offset=offset)


@router.get("/{dataset_id}/report")
async def get_dataset_report(
    asked: Asked,
    offset: Offset = 0,
    limit: Limit = 100,
    action: Literal["repaired", "dropped"] | None = None,
    rule: Annotated[str | None, Query(max_length=100)] = None,
) -> DatasetReport:
    """Exact counts, and each row that was not simply kept (the first 100,000)."""

    def keep(item: dict[str, Any]) -> bool:
        return (action is None or item["action"] == action) and (
            rule is None or item["rule"] == rule
        )

    chosen = keep if action is not None or rule is not None else None
    items, total = await asyncio.to_thread(pages.report, asked.folder, offset, limit, chosen)
    facts = asked.facts
    counts = Counts.model_validate(facts.counts)
    return DatasetReport(
        counts=counts,
        total_rows=counts.kept + counts.repaired + counts.dropped,
        rules=facts.rules,
        items=items,
        total_items=total,
        offset=offset,
        format=facts.format,
        encoding=facts.encoding,
        delimiter=facts.delimiter,
        detected_because=facts.detected_because,
    )


@router.get("/{dataset_id}/report/download", response_class=Download)
async def download_dataset_report(asked: Asked) -> Download:
    """The whole report, one JSON object per line."""
    return attachment(asked.folder / REPORT_FILE, f"report-{asked.row.id}.jsonl")


@router.get("/{dataset_id}/statistics")
async def get_dataset_statistics(asked: Asked) -> DatasetStatistics:
    """What was counted at the import."""
    return await asyncio.to_thread(pages.statistics, asked.folder)


@router.get("/{dataset_id}/file", response_class=Download)
async def download_dataset_file(
    request: Request,
    user: CurrentUser,
    dataset_id: UUID,
    number: Annotated[int, Query(ge=0, le=MAX_FILES, description="Of several, from 0")] = 0,
) -> Download:
    """The file as it was uploaded."""
    state = request.app.state
    async with transaction(state.sessions) as session:
        row = await queries.find(session, user, dataset_id)
    stored = files.stored_files(state.settings, row)
    if number >= len(stored):
        raise NothingToDownload
    return attachment(*stored[number])


def attachment(path: Path, filename: str) -> Download:
    """A file to be saved; raises `NothingToDownload`."""
    if not path.is_file():
        raise NothingToDownload
    # Named here too: a file's type is otherwise guessed from its name.
    return Download(path, media_type=Download.media_type, filename=filename, headers=ATTACHMENT)
