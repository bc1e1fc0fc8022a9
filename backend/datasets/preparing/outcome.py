"""How a preparation ended, written into the data set in the transaction that ends its job."""

from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import announcing, files, prepare_service, version_service
from backend.datasets.hygiene import service as examinations
from backend.datasets.importing.outcome import read_summary
from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow
from backend.jobs import subjects, whole_folders
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Publish the version that the job wrote, or say why there is none.

    A data set that has versions stays as it was when this one could not be made. A second call
    (the first one's commit was lost) finds the version in its place.
    """
    row = await session.get(DatasetRow, job.subject_id, with_for_update=True)
    staging = Path(job.spec["staging"])
    if row is None:  # deleted meanwhile
        whole_folders.remove(staging.parent)
        return
    if job.status == JobStatus.COMPLETED:
        await _publish(session, job, row, staging)
    else:
        _tell(job, row)
    files.clear(staging)
    await announcing.announce(session, job, row)


async def _publish(session: AsyncSession, job: JobRow, row: DatasetRow, staging: Path) -> None:
    spec = job.spec
    version = staging.parent / f"v{spec['version']}"
    staged = staging / str(job.attempt)
    if staged.is_dir():
        whole_folders.publish(staged, version)
    summary = read_summary(version)
    row.preparation = None
    await version_service.publish(
        session,
        row,
        spec["version"],
        summary,
        made_by=job.owner_id,
        parent=spec["parent"],
        steps=summary["steps"],
        sources=spec["sources"],
    )
    await examinations.queue(session, row, version.parent, [spec["version"]])


def _tell(job: JobRow, row: DatasetRow) -> None:
    if row.status == DatasetStatus.IMPORTING:  # it would have been its first version
        row.status = DatasetStatus.FAILED
        row.error = _trouble(job)
    elif job.stop_requested is not None and job.error is None:
        row.preparation = None
    elif row.preparation is not None:
        row.preparation = {**row.preparation, "error": _trouble(job)}


def _trouble(job: JobRow) -> dict[str, Any]:
    """Why there is no version, under the code that says most."""
    trouble = subjects.trouble_of(job, prepare_service.STOPPED)
    params = dict(trouble["params"])
    code = params.pop("reason_code", trouble["code"])
    return {**trouble, "code": code, "params": params}
