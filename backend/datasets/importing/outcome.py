"""How an import ended, written into the data set; called in the transaction that ends its job."""

from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import announcing, files, version_service
from backend.datasets.hygiene import service as examinations
from backend.datasets.importing import siblings
from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow
from backend.datasets.versions.names import SUMMARY_FILE
from backend.jobs import subjects, whole_folders
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow

log = structlog.get_logger(__name__)

_STOPPED = {
    "code": "import_stopped",
    "message": "The import was stopped before it had ended.",
    "hint": "Import the file again, or delete the data set.",
}


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Publish the version that the job wrote, or say why there is none.

    A second call (the first one's commit was lost) finds the version in its place.
    """
    row = await session.get(DatasetRow, job.subject_id, with_for_update=True)
    staging = Path(job.spec["staging"])
    if row is None:  # deleted meanwhile
        whole_folders.remove(staging.parent)
        return
    if job.status == JobStatus.COMPLETED:
        version = staging.parent / f"v{job.spec['version']}"
        staged = staging / str(job.attempt)
        if staged.is_dir():
            whole_folders.publish(staged, version)
        summary = read_summary(version)
        number = job.spec["version"]
        await version_service.publish(session, row, number, summary, made_by=job.owner_id)
        await siblings.settle(session, row, job, summary)
        if row.status in version_service.USABLE:
            await examinations.queue(session, row, version.parent, [number])
    elif job.status == JobStatus.STOPPED:
        await give_up(session, row)
    else:
        row.status = DatasetStatus.FAILED
        row.error = subjects.trouble_of(job, _STOPPED)
    files.clear(staging)
    await announcing.announce(session, job, row)


async def give_up(session: AsyncSession, row: DatasetRow) -> None:
    """The import was stopped: go back to the version before it, or say that there is none."""
    if not await version_service.go_back(session, row):
        row.status, row.error = DatasetStatus.FAILED, {**_STOPPED, "params": {}}


def read_summary(folder: Path) -> dict[str, Any]:
    """What the import says about itself, without NUL characters: no database keeps those."""
    content = (folder / SUMMARY_FILE).read_bytes()
    summary: dict[str, Any] = orjson.loads(content.replace(rb"\u0000", rb"\ufffd"))
    return summary
