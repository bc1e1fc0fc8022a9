"""What finished runs on this host have shown, so that the next estimate is no guess."""

from statistics import median
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.tables import JobRow
from backend.tasks.tables import TaskRow

LAST_RUNS = 5


def measured(job: JobRow) -> dict[str, Any]:
    """What a completed run tells the next: speed, memory, device, type."""
    duration = (
        (job.finished_at - job.started_at).total_seconds()
        if job.finished_at and job.started_at
        else None
    )
    return {
        "attempt": job.attempt,
        "tokens_per_s": job.tokens_per_s,
        "peak_memory_bytes": job.peak_memory_bytes,
        "duration_s": duration,
        "device": (job.device or "").split(":")[0],
        "dtype": job.dtype,
        "processes": (job.spec.get("distributed") or {}).get("processes", 1),
    }


async def speed_of(
    session: AsyncSession,
    *,
    model_name: str,
    objective: str,
    method: str,
    device: str,
    processes: int = 1,
) -> float | None:
    """Tokens per second of the last runs that were like this; None when there is none."""
    of_device = TaskRow.measured["device"].astext == device
    as_many = func.coalesce(TaskRow.measured["processes"].as_integer(), 1) == processes
    rows = await session.scalars(
        select(TaskRow.measured)
        .where(
            TaskRow.model_name == model_name,
            TaskRow.objective == objective,
            TaskRow.method == method,
            of_device,
            as_many,
        )
        .order_by(TaskRow.id.desc())
        .limit(LAST_RUNS)
    )
    speeds = [row["tokens_per_s"] for row in rows if row and row.get("tokens_per_s")]
    return median(speeds) if speeds else None


async def type_of(session: AsyncSession, device: str) -> str | None:
    """The number type that the last run on this device computed with."""
    dtype = TaskRow.measured["dtype"].astext
    found: str | None = await session.scalar(
        select(dtype)
        .where(TaskRow.measured["device"].astext == device, func.length(dtype) > 0)
        .order_by(TaskRow.id.desc())
        .limit(1)
    )
    return found
