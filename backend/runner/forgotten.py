"""Removes jobs whose subject was deleted while they ran: first their folders, then their rows.

In this order an interruption loses nothing but time: the row says what is still to be removed.
"""

import asyncio
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import select

from backend.database import SessionFactory, again_on_conflict
from backend.jobs import run_folder, service
from backend.jobs.lease import Lease
from backend.jobs.schemas import TERMINAL
from backend.jobs.tables import JobRow
from backend.runner.fencing import fenced, reaching

log = structlog.get_logger(__name__)


async def remove_forgotten(sessions: SessionFactory, lease: Lease, runs_dir: Path) -> int:
    """Remove what is forgotten and has ended; returns how many jobs that were."""
    async with reaching(sessions) as session:
        query = select(JobRow.id).where(JobRow.forgotten, JobRow.status.in_(TERMINAL))
        ended = list(await session.scalars(query))
    for job_id in ended:
        await asyncio.to_thread(run_folder.remove_all, runs_dir, job_id)
        await _delete(sessions, lease, job_id)
        log.info("forgotten_job_removed", job=str(job_id))
    return len(ended)


@again_on_conflict
async def _delete(sessions: SessionFactory, lease: Lease, job_id: UUID) -> None:
    async with fenced(sessions, lease) as session:
        await service.delete(session, job_id)
