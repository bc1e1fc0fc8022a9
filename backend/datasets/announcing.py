"""Tells the owner of a data set how long work on it has ended."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.notices import service as notices
from backend.notices.kinds import NoticeKind, SubjectType

KINDS = {
    DatasetStatus.READY: NoticeKind.DATASET_READY,
    DatasetStatus.BLOCKED: NoticeKind.DATASET_BLOCKED,
    DatasetStatus.NEEDS_MAPPING: NoticeKind.DATASET_BLOCKED,
    DatasetStatus.FAILED: NoticeKind.DATASET_FAILED,
}


async def announce(session: AsyncSession, job: JobRow, row: DatasetRow) -> None:
    """In the transaction that ends `job`, after `row` says how it ended.

    A preparation that failed leaves the data set as it was; its error stands beside it.
    """
    if job.status is JobStatus.STOPPED:  # whoever stopped it knows
        return
    failed = (row.preparation or {}).get("error")
    kind = NoticeKind.DATASET_FAILED if failed else KINDS.get(DatasetStatus(row.status))
    if kind is None:
        return
    await notices.announce_work(
        session,
        job,
        kind=kind,
        subject_type=SubjectType.DATASET,
        subject_name=row.name,
        error=failed or row.error,
    )
