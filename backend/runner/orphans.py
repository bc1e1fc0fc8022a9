"""Ends engines that no row knows as live: what an attempt that is over left behind."""

from collections.abc import Mapping

import structlog
from sqlalchemy import select

from backend.database import SessionFactory
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import LIVE
from backend.jobs.tables import JobRow
from backend.runner.executors.executor import Executor, Order
from backend.runner.fencing import reaching

GRACE_S = 5.0

log = structlog.get_logger(__name__)


async def end_orphans(sessions: SessionFactory, executors: Mapping[str, Executor]) -> int:
    """Stop what computes for an attempt that is over; returns how many attempts that were.

    An engine of a job that the database has never heard of is left alone: the database may be
    an older one, and the engine's work is not ours to throw away.
    """
    ended = 0
    for host, executor in executors.items():
        for folder in await _without_a_row(sessions, host, list(await executor.probe())):
            log.warning("orphan_ended", job=str(folder.job_id), attempt=folder.attempt, host=host)
            await executor.signal(folder, Order.END, GRACE_S)
            ended += 1
    return ended


async def _without_a_row(
    sessions: SessionFactory, host: str, computing: list[RunFolder]
) -> list[RunFolder]:
    """Those that are no live attempt of a known job on that host."""
    if not computing:
        return []
    async with reaching(sessions) as session:
        query = select(JobRow.id, JobRow.attempt, JobRow.status, JobRow.host)
        rows = await session.execute(query.where(JobRow.id.in_({f.job_id for f in computing})))
        known = {row.id: (row.attempt, row.status in LIVE, row.host) for row in rows}
    for folder in computing:
        if folder.job_id not in known:
            log.warning("unknown_engine", job=str(folder.job_id), attempt=folder.attempt)
    return [
        folder
        for folder in computing
        if folder.job_id in known and known[folder.job_id] != (folder.attempt, True, host)
    ]
