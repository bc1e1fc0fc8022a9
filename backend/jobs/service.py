"""The queue: put work in, ask it to stop, queue it again, move it from state to state.

No process in sight: whoever calls writes rows, and the supervisor obeys. Services flush; the
caller's transaction commits.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Conflict, NotFound
from backend.jobs.schemas import LIVE, TERMINAL, JobStatus, Slot, StopMode
from backend.jobs.tables import JobRow, JobTransitionRow

WAKE_CHANNEL = "easytune_jobs"
LAUNCHING = "launching"

# The one transition table: from → to.
TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.PREPARING, JobStatus.STOPPED, JobStatus.FAILED}),
    # Back to the queue only when no engine was ever started for the attempt.
    JobStatus.PREPARING: frozenset(
        {JobStatus.RUNNING, JobStatus.STOPPING, JobStatus.PENDING} | TERMINAL
    ),
    JobStatus.RUNNING: frozenset({JobStatus.STOPPING} | TERMINAL),
    # A run that completes while it is asked to stop has completed.
    JobStatus.STOPPING: TERMINAL,
    JobStatus.COMPLETED: frozenset({JobStatus.PENDING}),
    JobStatus.FAILED: frozenset({JobStatus.PENDING}),
    JobStatus.STOPPED: frozenset({JobStatus.PENDING}),
}


class JobNotFound(NotFound):
    """This job does not exist (any more)."""


class InvalidTransition(Conflict):
    """This is {status}, so that can not be done now."""


class StaleAttempt(Conflict):
    """Attempt {attempt} of this job is over; the present one is {current}."""


class NotResumable(Conflict):
    """There is no checkpoint to continue from; restart it from the beginning instead."""


async def enqueue(
    session: AsyncSession,
    *,
    kind: str,
    spec: dict[str, Any],
    slot: Slot,
    owner_id: UUID | None,
    subject_id: UUID,
    priority: int = 0,
    memory_bytes: int | None = None,
    automatic_retries: int = 0,
) -> JobRow:
    """Queue a job; it starts when a slot is free.

    The engine finds `spec` in `spec.json`, with `kind`, `run_id` (the job's id) and `attempt`
    added, so it must not name the run folder. `memory_bytes` of main memory is what it is expected
    to need: it waits while other work of the platform holds that. `automatic_retries`: how often
    it is queued again by itself (`retries.py`). A second live job of this kind for the same subject
    is an `IntegrityError` (`uq_jobs_live_subject`).
    """
    job = JobRow(
        kind=kind,
        spec=spec,
        slot=Slot(slot),
        owner_id=owner_id,
        subject_id=subject_id,
        priority=priority,
        memory_bytes=memory_bytes,
        automatic_retries=automatic_retries,
    )
    session.add(job)
    await session.flush()
    await _record(session, job, None, "created")
    await wake(session)
    return job


async def get(session: AsyncSession, job_id: UUID, *, lock: bool = False) -> JobRow:
    """The job as the database has it now; `lock` keeps others from moving it until commit."""
    query = select(JobRow).where(JobRow.id == job_id).execution_options(populate_existing=True)
    job = await session.scalar(query.with_for_update() if lock else query)
    if job is None:
        raise JobNotFound
    return job


async def hold(session: AsyncSession, job_id: UUID, attempt: int) -> JobRow:
    """The row, locked until commit, while `attempt` is the present one; else `StaleAttempt`."""
    job = await get(session, job_id, lock=True)
    if job.attempt != attempt:
        raise StaleAttempt(params={"attempt": attempt, "current": job.attempt})
    return job


async def newest_of(session: AsyncSession, subject_id: UUID, *kinds: str) -> JobRow | None:
    """The last job (of these kinds) that was queued for a data set, model or task."""
    query = select(JobRow).where(JobRow.subject_id == subject_id)
    if kinds:
        query = query.where(JobRow.kind.in_(kinds))
    return await session.scalar(query.order_by(JobRow.id.desc()).limit(1))


async def move(
    session: AsyncSession,
    job_id: UUID,
    attempt: int,
    to: JobStatus,
    reason: str,
    **values: Any,
) -> JobRow:
    """The one way a job changes state; `values` are columns written with the move.

    Raises `StaleAttempt` when the attempt is over and `InvalidTransition` when the table does not
    allow the move: the caller lost a race and has nothing to do.
    """
    job = await hold(session, job_id, attempt)
    return await move_held(session, job, to, reason, **values)


async def request_stop(session: AsyncSession, job_id: UUID, save: bool) -> JobRow:
    """Ask a job to end; `save` lets it write a checkpoint first.

    A queued job is `STOPPED` at once. A job that has ended stays what it is and is returned. A
    second request may only be more urgent than the first.
    """
    job = await get(session, job_id, lock=True)
    if job.status in TERMINAL:
        return job
    if job.status == JobStatus.PENDING:
        return await move_held(session, job, JobStatus.STOPPED, "user_stop", **_WITHDRAWN)
    if job.stop_requested != StopMode.DISCARD:
        job.stop_requested = StopMode.SAVE if save else StopMode.DISCARD
    if job.status != JobStatus.STOPPING:
        await move_held(session, job, JobStatus.STOPPING, "user_stop")
    await session.flush()
    await wake(session)
    return job


async def requeue(session: AsyncSession, job_id: UUID, *, resume: bool) -> JobRow:
    """A new attempt of a job that has ended: from its last checkpoint, or from the beginning.

    Raises `InvalidTransition` while it has not ended and `NotResumable` without a checkpoint.
    """
    job = await get(session, job_id, lock=True)
    if job.status not in TERMINAL:
        raise InvalidTransition(params={"status": job.status})
    if resume and not job.resumable:
        raise NotResumable
    fresh: dict[str, Any] = {"attempt": job.attempt + 1, "resume": resume, **UNSTARTED}
    fresh |= {"retries": 0, "recovered": False}
    if not resume:
        fresh |= FROM_THE_BEGINNING
    return await move_held(
        session, job, JobStatus.PENDING, "resume" if resume else "restart", **fresh
    )


async def relaunch(session: AsyncSession, job_id: UUID, attempt: int, reason: str) -> JobRow:
    """Back to the queue under a new attempt: no engine was ever started for this one."""
    job = await hold(session, job_id, attempt)
    values = {"attempt": attempt + 1, **UNSTARTED}
    return await move_held(session, job, JobStatus.PENDING, reason, **values)


async def delete(session: AsyncSession, job_id: UUID) -> None:
    """Forget a job that has ended, with its history; its folder is the caller's to remove."""
    job = await get(session, job_id, lock=True)
    if job.status not in TERMINAL:
        raise InvalidTransition(params={"status": job.status})
    await session.delete(job)
    await session.flush()


async def forget(session: AsyncSession, subject_id: UUID) -> list[UUID]:
    """The subject is being deleted: its jobs go with it, what runs is stopped.

    Returns the jobs whose run folders can go once this is committed. A job that lives ends first;
    then the supervisor removes it.
    """
    query = select(JobRow.id).where(JobRow.subject_id == subject_id).order_by(JobRow.id)
    ended = []
    for job_id in await session.scalars(query):
        job = await request_stop(session, job_id, save=False)
        if job.status in TERMINAL:
            await delete(session, job_id)
            ended.append(job_id)
        else:
            job.forgotten = True
    await session.flush()
    return ended


async def transitions(session: AsyncSession, job_id: UUID) -> list[JobTransitionRow]:
    """Every move of a job, oldest first."""
    query = select(JobTransitionRow).where(JobTransitionRow.job_id == job_id)
    return list(await session.scalars(query.order_by(JobTransitionRow.id)))


async def live_count(session: AsyncSession, slot: Slot) -> int:
    """Slots in use."""
    query = select(func.count()).where(JobRow.status.in_(LIVE), JobRow.slot == slot)
    return await session.scalar(query) or 0


async def wake(session: AsyncSession) -> None:
    """Hint to the supervisor, sent at commit; a lost hint costs one poll interval."""
    await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": WAKE_CHANNEL})


# Taken out of the queue, a retry that waits as well.
_WITHDRAWN: dict[str, Any] = {"finished_at": func.now(), "wait": None, "retry_at": None}
# What a new attempt has not done yet.
UNSTARTED: dict[str, Any] = {
    "queued_at": func.now(),
    "slot_index": None,
    "wait": None,
    "started_at": None,
    "finished_at": None,
    "heartbeat_at": None,
    "stalled_since": None,
    "phase": None,
    "eta_s": None,
    "tokens_per_s": None,
    "detail": None,
    "error": None,
    "event_offset": 0,
    "stop_requested": None,
    "retry_at": None,
}
FROM_THE_BEGINNING: dict[str, Any] = {
    "progress": 0.0,
    "step": 0,
    "total_steps": None,
    "epoch": None,
    "metrics": {},
    "best_metric": None,
    "resumable": False,
    "checkpoint": None,
    "peak_memory_bytes": None,
}


async def move_held(
    session: AsyncSession, job: JobRow, to: JobStatus, reason: str, **values: Any
) -> JobRow:
    """As `move`, for a row that is locked already."""
    if to not in TRANSITIONS[job.status]:
        raise InvalidTransition(params={"status": job.status})
    return await put_held(session, job, to, reason, **values)


async def put_held(
    session: AsyncSession, job: JobRow, to: JobStatus, reason: str, **values: Any
) -> JobRow:
    """Put a locked row where it is known to stand, whatever the table of moves says."""
    before = job.status
    job.status = to
    for name, value in values.items():
        setattr(job, name, value)
    await session.flush()
    await session.refresh(job)  # times set by the database's clock
    await _record(session, job, before, reason)
    if to == JobStatus.PENDING or to in TERMINAL:  # work to claim, or a slot set free
        await wake(session)
    return job


async def _record(
    session: AsyncSession, job: JobRow, before: JobStatus | None, reason: str
) -> None:
    session.add(
        JobTransitionRow(
            job_id=job.id,
            attempt=job.attempt,
            from_status=before,
            to_status=job.status,
            reason=reason,
            # Of the move, not of the transaction: one that waited for the row began before the
            # move that it waited for.
            at=func.clock_timestamp(),
        )
    )
    await session.flush()
