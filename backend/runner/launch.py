"""From a claimed job to a process: folder, spec, a last look at the lease, start."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from backend.database import DatabaseUnavailable, WriteConflict, again_on_conflict
from backend.jobs import service
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.runner.checkpoints import resume_path
from backend.runner.endings import Ending, failure
from backend.runner.fencing import fenced
from backend.runner.finish import launch_failed
from backend.runner.kinds import spec_of
from backend.runner.room import Room
from training_engine.contract.failpoints import reach
from training_engine.contract.names import FailureCode

if TYPE_CHECKING:
    from backend.runner.attempt import Attempt


async def launch(
    attempt: Attempt,
    job: JobRow,
    runs_dir: Path,
    variables: Mapping[str, str],
    room: Room,
) -> None:
    """Start the run host of a claimed job, or end the job with the reason why that failed."""
    reach("claim.committed")
    if job.slot is Slot.TRAINING:
        await room.unload()
    try:
        resume_from = await asyncio.to_thread(_resume_from, attempt, job, runs_dir)
        await asyncio.to_thread(attempt.folder.create, spec_of(job, resume_from))
        reach("launch.prepared")
        # The last moment at which a supervisor that was paused can find out that it is none.
        await _require_ours(attempt)
        reach("launch.allowed")
        attempt.begin()
        await attempt.executor.start(attempt.folder, attempt.kind, variables)
        reach("launch.forked")
    except NoCheckpoint:
        ending = failure(
            FailureCode.CHECKPOINT_CORRUPT,
            "The checkpoint to continue from is gone.",
            "Restart it from the beginning.",
        )
        await launch_failed(attempt, ending)
    except OSError as error:
        await launch_failed(attempt, _ending_of(error))
    except (DatabaseUnavailable, WriteConflict):
        attempt.put_off = True
        raise


@again_on_conflict
async def _require_ours(attempt: Attempt) -> None:
    """Raise `LostLease`, `StaleAttempt` or `InvalidTransition` unless the job waits for us."""
    async with fenced(attempt.desk.sessions, attempt.desk.lease) as session:
        present = await service.hold(session, attempt.job_id, attempt.number)
        if present.status not in {JobStatus.PREPARING, JobStatus.STOPPING}:
            raise service.InvalidTransition(params={"status": present.status})


class NoCheckpoint(Exception):
    """The job was to be resumed, and no checkpoint is left."""


def _resume_from(attempt: Attempt, job: JobRow, runs_dir: Path) -> str | None:
    if not (job.resume and attempt.kind.resumes):
        return None
    place = resume_path(runs_dir, job)
    if place is None:
        raise NoCheckpoint
    return str(place)


def _ending_of(error: OSError) -> Ending:
    reason = error.strerror or str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return failure(
            FailureCode.DISK_FULL,
            "There is no space left for the folder of this run.",
            "Free some space on the disk of the data folder, then restart it.",
        )
    if error.errno == errno.ENOMEM:
        return failure(
            FailureCode.HOST_OUT_OF_MEMORY,
            "There was not enough memory to start the engine.",
            "Free some memory, then restart it.",
        )
    return failure(
        FailureCode.DEPENDENCY,
        f"The engine could not be started: {reason}.",
        "Run `easytune doctor`, repair what it names, then restart it.",
    )
