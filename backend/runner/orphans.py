"""Ends engines that no row knows as live: what an attempt that is over left behind."""

import asyncio
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import select

from backend.database import SessionFactory
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import LIVE
from backend.jobs.tables import JobRow
from backend.processes.identity import carrying
from backend.processes.stop import stop_tree
from backend.runner.executors.local import nonce_of
from backend.runner.fencing import reaching
from training_engine.contract.names import RUN_DIR_VARIABLE

GRACE_S = 5.0

log = structlog.get_logger(__name__)


async def end_orphans(sessions: SessionFactory, runs_dir: Path) -> int:
    """Stop what computes for an attempt that is over; returns how many attempts that were.

    An engine of a job that the database has never heard of is left alone: the database may be
    an older one, and the engine's work is not ours to throw away.
    """
    running = await asyncio.to_thread(_running_attempts, runs_dir)
    if not running:
        return 0
    async with reaching(sessions) as session:
        query = select(JobRow.id, JobRow.attempt, JobRow.status)
        rows = await session.execute(query.where(JobRow.id.in_({job for job, _ in running})))
        known = {row.id: (row.attempt, row.status) for row in rows}
    ended = 0
    for (job_id, number), folder in running.items():
        if job_id not in known:
            log.warning("unknown_engine", job=str(job_id), attempt=number)
            continue
        attempt, status = known[job_id]
        if (attempt, True) == (number, status in LIVE):
            continue
        log.warning("orphan_ended", job=str(job_id), attempt=number)
        await stop_tree(None, nonce=nonce_of(folder), grace_s=GRACE_S)
        ended += 1
    return ended


def _running_attempts(runs_dir: Path) -> dict[tuple[UUID, int], RunFolder]:
    """Attempts below `runs_dir` for which a process lives, by what their environment says."""
    found: dict[tuple[UUID, int], RunFolder] = {}
    for _, value in carrying(RUN_DIR_VARIABLE):
        place = Path(value)
        if place.parent.parent != runs_dir:
            continue
        try:
            key = UUID(place.parent.name), int(place.name)
        except ValueError:
            continue
        found[key] = RunFolder.of(runs_dir, *key)
    return found
