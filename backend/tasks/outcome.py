"""What the end of a training means for its task, in the transaction that ends the job."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.notices import service as notices
from backend.notices.kinds import NoticeKind, SubjectType
from backend.tasks.measurements import measured
from backend.tasks.tables import TaskRow


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Tell its owner, and keep what a completed run has shown; the rest stands in the job."""
    await session.refresh(job, ["started_at", "finished_at"])
    await _announce(session, job)
    if job.status is not JobStatus.COMPLETED:
        return
    await session.execute(
        update(TaskRow).where(TaskRow.job_id == job.id).values(measured=measured(job))
    )


async def stalled(session: AsyncSession, job: JobRow) -> None:
    """Tell its owner that the run lives and is silent; once for each attempt."""
    await _tell(session, job, NoticeKind.TASK_STALLED, {})


async def _announce(session: AsyncSession, job: JobRow) -> None:
    """The end, unless the user asked for it."""
    params: dict[str, Any] = {}
    if job.started_at is not None and job.finished_at is not None:
        params["duration_s"] = (job.finished_at - job.started_at).total_seconds()
    if job.status is JobStatus.COMPLETED:
        if isinstance(loss := job.metrics.get("loss"), int | float):
            params["loss"] = loss
        await _tell(session, job, NoticeKind.TASK_COMPLETED, params)
    elif job.status is JobStatus.FAILED and job.error is not None:
        params["error"] = notices.told(job.error)
        await _tell(session, job, NoticeKind.TASK_FAILED, params)
    elif job.status is JobStatus.STOPPED and job.stop_requested is None:
        await _tell(session, job, NoticeKind.TASK_STOPPED, params)


async def _tell(
    session: AsyncSession, job: JobRow, kind: NoticeKind, params: dict[str, Any]
) -> None:
    query = select(TaskRow.id, TaskRow.name, TaskRow.owner_id).where(TaskRow.job_id == job.id)
    task = (await session.execute(query)).one_or_none()
    if task is None:  # deleted meanwhile
        return
    moment = "stalled" if kind is NoticeKind.TASK_STALLED else "end"
    await notices.announce(
        session,
        kind=kind,
        owner_id=task.owner_id,
        subject_type=SubjectType.TASK,
        subject_id=task.id,
        subject_name=task.name,
        params=params,
        key=f"{job.id}:{job.attempt}:{moment}",
    )
