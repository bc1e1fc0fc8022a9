"""What the end of an export means for it, in the transaction that ends the job."""

import structlog
from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.tasks.tables import ExportRow
from training_engine.contract.exports import ExportChecks

log = structlog.get_logger(__name__)


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Keep what the check has measured; the files stay in the run folder."""
    if job.status is not JobStatus.COMPLETED:
        return
    await session.refresh(job, ["metrics"])
    numbers = dict(job.metrics)
    size = numbers.pop("size_bytes", None)
    try:
        checks = ExportChecks.model_validate(numbers).model_dump(mode="json")
    except ValidationError:  # told by another version; the file itself was checked
        log.warning("unknown_export_figures", job=str(job.id))
        checks = None
    values = {"size_bytes": int(size) if size is not None else None, "checks": checks}
    await session.execute(update(ExportRow).where(ExportRow.job_id == job.id).values(**values))
