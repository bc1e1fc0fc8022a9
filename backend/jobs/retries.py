"""Another try without anybody asking: only after failures that may pass, and only so often.

Failures are counted by their kind, whether they are tried again or not.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Conflict
from backend.jobs import service
from backend.jobs.failures import kind_of, may_pass
from backend.jobs.schemas import JobStatus, Priority
from backend.jobs.tables import JobRow

AUTOMATIC = "automatic_retry"
MAX_AUTOMATIC_RETRIES = 5


class NotWaiting(Conflict):
    """This is {status}; its priority counts only while it waits."""


def count(job: JobRow, error: dict[str, Any]) -> dict[str, int]:
    """The job's `failures` with one more of the kind of `error`."""
    kind = kind_of(error).value
    return {**job.failures, kind: job.failures.get(kind, 0) + 1}


def is_due(job: JobRow, error: dict[str, Any] | None) -> bool:
    """Whether a job that fails with `error` is to be tried again by itself.

    Not what its user has asked to stop or deleted, and never more often than was asked for.
    """
    wanted = job.stop_requested is None and not job.forgotten
    left = job.retries < job.automatic_retries
    return error is not None and wanted and left and may_pass(error)


async def again(session: AsyncSession, job: JobRow, delay_s: float) -> JobRow:
    """Queue a locked job that has just failed once more, not before `delay_s` from now.

    From its last checkpoint when it has one. A stop or a deletion meanwhile ends the wait.
    """
    resume = job.resumable
    params = {
        "code": (job.error or {}).get("code", ""),
        "retry": job.retries + 1,
        "retries": job.automatic_retries,
    }
    values: dict[str, Any] = {
        **service.UNSTARTED,
        "attempt": job.attempt + 1,
        "resume": resume,
        "retries": job.retries + 1,
        "retry_at": func.now() + timedelta(seconds=delay_s),
        "wait": {"reason": "retry_wait", "params": params},
    }
    if not resume:
        values |= service.FROM_THE_BEGINNING
    return await service.move_held(session, job, JobStatus.PENDING, AUTOMATIC, **values)


async def set_priority(session: AsyncSession, job: JobRow, priority: Priority) -> None:
    """Who goes first; raises `NotWaiting` for a job that has left the queue."""
    if Priority.of(job.priority) is priority:
        return
    job = await service.get(session, job.id, lock=True)
    if job.status is not JobStatus.PENDING:
        raise NotWaiting(params={"status": job.status})
    job.priority = priority.rank
    await session.flush()
    await service.wake(session)
