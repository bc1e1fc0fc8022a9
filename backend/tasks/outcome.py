"""What the end of a training means for its task, in the transaction that ends the job."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.tasks.measurements import measured
from backend.tasks.tables import TaskRow


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Keep what a completed run has shown; status and error stand in the job already."""
    if job.status is not JobStatus.COMPLETED:
        return
    await session.refresh(job, ["started_at", "finished_at"])
    await session.execute(
        update(TaskRow).where(TaskRow.job_id == job.id).values(measured=measured(job))
    )
