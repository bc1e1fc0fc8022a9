"""The end of an attempt: gather the evidence, judge, move the job, tell its feature."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import func

from backend.database import DatabaseUnavailable, WriteConflict, again_on_conflict
from backend.jobs import retries, service
from backend.jobs.event_file import last_event
from backend.jobs.lease import LostLease
from backend.jobs.log_file import read_backward, size_of
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner.checkpoints import furthest
from backend.runner.endings import Cause, Ending, Evidence, failure, judge
from backend.runner.executors.executor import Order, Remains
from backend.runner.fencing import fenced
from training_engine.contract.choices import Device
from training_engine.contract.events import Event
from training_engine.contract.failpoints import reach
from training_engine.contract.names import FailureCode

if TYPE_CHECKING:
    from backend.runner.attempt import Attempt

NOT_LAUNCHED = "not_launched"
MAX_RELAUNCHES = 3
# Looks at a folder that can not be read, before the end is judged without it: it holds a slot.
MAX_UNREADABLE = 5

log = structlog.get_logger(__name__)


async def finish(attempt: Attempt, row: JobRow, cause: Cause | None, detail: str = "") -> None:
    """End an attempt whose run host is gone, and whatever processes it left."""
    grace_s = attempt.desk.timeouts.orphan_s if cause is Cause.LOST else 0.0
    if await attempt.executor.signal(attempt.folder, Order.END, grace_s):
        log.error("survivors", job=str(attempt.job_id), attempt=attempt.number)
        return  # the slot stays taken while something still computes; the next look tries again
    last, remains = await _left_behind(attempt)
    evidence = Evidence(
        last=last,
        exit_facts=remains.exit_facts,
        stop_requested=row.stop_requested is not None,
        cause=cause,
        detail=detail,
    )
    reach("finish.judged")
    await _write(attempt, judge(evidence), remains)


async def _left_behind(attempt: Attempt) -> tuple[Event | None, Remains]:
    """Its last event and what else is left; of a folder that stays unreadable, nothing."""
    try:
        await attempt.read()
        last = await asyncio.to_thread(last_event, attempt.folder.events_file)
        return last, await attempt.executor.collect(attempt.folder)
    except OSError as error:
        attempt.unreadable += 1
        if attempt.unreadable < MAX_UNREADABLE:
            raise
        log.error("remains_unreadable", job=str(attempt.job_id), error=repr(error))
        return None, Remains(None, "")


async def never_started(attempt: Attempt, row: JobRow) -> None:
    """No run host has ever held this folder's lock: launch again, or say why it is not possible.

    The folder is closed first, under its lock, so that a launch that is still on its way (a
    supervisor that was paused between claim and start) can not become a second engine.
    """
    if attempt.unlaunched is not None:
        await launch_failed(attempt, attempt.unlaunched)
        return
    if await attempt.executor.signal(attempt.folder, Order.REVOKE):
        return  # it started just now: the next look adopts it
    if attempt.cause is not None:
        await finish(attempt, row, attempt.cause)
    elif row.status == JobStatus.RUNNING:
        await finish(attempt, row, Cause.FOLDER_GONE)
    elif not attempt.adopted and not attempt.put_off:
        tail = (await attempt.executor.collect(attempt.folder)).host_output
        detail = tail.splitlines()[-1][:300] if tail else ""
        await finish(attempt, row, Cause.LAUNCH_FAILED, detail)
    elif row.stop_requested is not None:
        await finish(attempt, row, None)
    elif await _relaunches(attempt) >= MAX_RELAUNCHES:
        await finish(attempt, row, Cause.LAUNCH_TIMEOUT)
    else:
        await attempt.executor.signal(attempt.folder, Order.END)
        await attempt.put_back()


async def launch_failed(attempt: Attempt, ending: Ending) -> None:
    """End an attempt that could not be launched at all; the reason is kept until it is written."""
    attempt.unlaunched = ending
    await _write(attempt, ending, Remains(None, ""))


async def _relaunches(attempt: Attempt) -> int:
    async with fenced(attempt.desk.sessions, attempt.desk.lease) as session:
        moves = await service.transitions(session, attempt.job_id)
    return sum(1 for move in moves if move.reason == NOT_LAUNCHED)


async def _write(attempt: Attempt, ending: Ending, remains: Remains) -> None:
    """The terminal move and what the feature makes of it, in one transaction.

    A feature that fails at it must not keep the slot: the second time the job ends as `internal`,
    the third time without its feature.
    """
    tries, attempt.tries = attempt.tries, attempt.tries + 1
    if tries:
        ending = failure(
            FailureCode.INTERNAL,
            "The result could not be recorded because of an error in EasyTune.",
            "The server's log has the details. Restart it, and report the problem.",
        )
    try:
        job = await _end(attempt, ending, remains, tell=tries < 2)
    except (DatabaseUnavailable, WriteConflict, LostLease):
        attempt.tries = tries  # not the feature's fault
        raise
    attempt.over = True
    log.info(
        "job_ended",
        job=str(job.id),
        kind=job.kind,
        attempt=attempt.number,
        status=ending.status.value,
        reason=ending.reason,
        tried_again=job.attempt != attempt.number,
    )


@again_on_conflict
async def _end(attempt: Attempt, ending: Ending, remains: Remains, *, tell: bool) -> JobRow:
    """`tell`: the feature hears of it, in the same transaction.

    Of a failure that is tried again by itself it does not: that is no end.
    """
    async with fenced(attempt.desk.sessions, attempt.desk.lease) as session:
        job = await service.hold(session, attempt.job_id, attempt.number)
        values = _columns(attempt, job, ending, remains)
        job = await service.move(
            session, attempt.job_id, attempt.number, ending.status, ending.reason, **values
        )
        if retries.is_due(job, ending.error):
            delays = attempt.desk.timeouts.retry_after_s
            return await retries.again(session, job, delays[min(job.retries, len(delays) - 1)])
        if tell:
            await attempt.kind.apply()(session, job)
        reach("finish.before_commit")
    reach("finish.committed")
    return job


def _columns(attempt: Attempt, job: JobRow, ending: Ending, remains: Remains) -> dict[str, Any]:
    values: dict[str, Any] = {
        "finished_at": func.now(),
        "phase": None,
        "eta_s": None,
        "stalled_since": None,
        "error": ending.error,
    }
    peak = (remains.exit_facts or {}).get("peak_memory_bytes")
    if job.recovered and (ended_at := _ended_at(remains)) is not None:
        values["finished_at"] = ended_at  # not today: the database did not know it
    on_gpu = (job.device or "").startswith(Device.CUDA)  # its memory is told by the engine
    if isinstance(peak, int) and 0 < peak < 2**63 and not on_gpu:
        values["peak_memory_bytes"] = peak
    if ending.status is JobStatus.COMPLETED:
        return {**values, "progress": 1.0, "resumable": False}
    if ending.error is not None:
        values["error"] = {**ending.error, "log_line": _last_line(attempt)}
        values["failures"] = retries.count(job, ending.error)
    return {**values, **_checkpoint(attempt, job)} if attempt.kind.resumes else values


def _checkpoint(attempt: Attempt, job: JobRow) -> dict[str, Any]:
    """Columns that tell from what it can be resumed; as they are where that can not be seen."""
    try:
        found = furthest(attempt.folder, job.checkpoint)
    except OSError as error:
        log.warning("checkpoints_unreadable", job=str(job.id), error=repr(error))
        return {}
    return {"checkpoint": found, "resumable": found is not None}


def _ended_at(remains: Remains) -> datetime | None:
    """When the run host saw the engine end, if it says so sensibly."""
    try:
        at = datetime.fromisoformat(str((remains.exit_facts or {}).get("ended_at")))
    except ValueError:
        return None
    return at if at.tzinfo is not None and at.year > 2000 else None


def _last_line(attempt: Attempt) -> str | None:
    """Id of the last line of the log: where to begin to read."""
    file = attempt.folder.log_file
    try:
        lines = read_backward(file, size_of(file), 1)
    except OSError as error:
        log.warning("log_unreadable", job=str(attempt.job_id), error=repr(error))
        return None
    return f"{attempt.number}-{lines[0].offset}" if lines else None
