"""Stands for a feature that is told how its job ended; fails when its job's spec says so."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.tables import JobRow

told: list[tuple[str, int, str]] = []


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Remember what was said."""
    if job.spec.get("outcome") == "broken":
        raise RuntimeError("the feature has a bug")
    if job.spec.get("outcome") == "broken once" and job.status != "FAILED":
        raise RuntimeError("the feature has a bug with good results")
    told.append((str(job.id), job.attempt, str(job.status)))
