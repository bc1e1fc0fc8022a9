"""After an older database was put back over today's run folders: what the folders know better.

A row is committed before its folder is made, and a number is never used twice. So a folder with a
higher attempt than its row has, or with the attempt of a row that still waits, can only mean that
the database is the older one. Then the folder is believed. A training is put where an attempt
stands that was just claimed, and everything else is the ordinary adoption: an engine that lives is
watched on, an end is read, judged and told, with `recovered` set. Work of other kinds that is over
is done once more instead: its results may have been moved to where they belong already.

Folders of jobs that the database does not know hold no owner and no name of a task, so they can not
become one. They are counted, said to the log, and left as they are: never is anything deleted.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from backend.database import SessionFactory, again_on_conflict
from backend.jobs import run_folder, service
from backend.jobs.lease import Lease
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import TERMINAL, JobStatus
from backend.jobs.tables import JobRow
from backend.runner.executors.executor import Executor, Sign
from backend.runner.fencing import fenced, reaching
from backend.runner.kinds import Kind

RECOVERED = "recovered"
NAMED = 20  # in the log, of many

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """What it works with, for one leadership."""

    sessions: SessionFactory
    lease: Lease
    runs_dir: Path
    executors: Mapping[str, Executor]
    kinds: Mapping[str, Kind]

    async def reconcile(self) -> list[UUID]:
        """Bring rows to where their folders are; returns the jobs that have folders and no row."""
        newest = await asyncio.to_thread(run_folder.newest_attempts, self.runs_dir)
        if not newest:
            return []
        async with reaching(self.sessions) as session:
            columns = (JobRow.id, JobRow.attempt, JobRow.status, JobRow.kind, JobRow.host)
            rows = (await session.execute(select(*columns))).all()
        for row in rows:
            folder = newest.pop(row.id, None)
            kind = self.kinds.get(row.kind)
            if folder is not None and kind is not None and _is_older(row, folder.attempt):
                try:
                    await self._believe(row, folder, kind)
                except (OSError, IntegrityError) as error:  # one must not hold up all others
                    log.error("not_recovered", job=str(row.id), error=repr(error))
        if newest:
            names = [str(job_id) for job_id in sorted(newest)[:NAMED]]
            log.warning("unknown_runs", count=len(newest), jobs=names, folder=str(self.runs_dir))
        return sorted(newest)

    async def _believe(self, row: Any, folder: RunFolder, kind: Kind) -> None:
        executor = self.executors.get(row.host)
        if executor is None:
            return
        seen = (await executor.probe([folder]))[folder]
        lives = seen.sign in {Sign.STARTING, Sign.ALIVE}
        if kind.resumes or lives:
            values, to = await asyncio.to_thread(_as_claimed, folder), JobStatus.PREPARING
        elif row.status in TERMINAL:
            values, to = {"attempt": folder.attempt}, row.status
        else:
            values = {**service.UNSTARTED, "attempt": folder.attempt + 1}
            to = JobStatus.PENDING
        if await self._put(row, to, values):
            log.warning(
                "recovered_from_folder",
                job=str(row.id),
                attempt=folder.attempt,
                sign=seen.sign.value,
                database_had=f"{row.status.value} {row.attempt}",
            )

    @again_on_conflict
    async def _put(self, row: Any, to: JobStatus, values: dict[str, Any]) -> bool:
        """Whether the row was still as it was seen."""
        async with fenced(self.sessions, self.lease) as session:
            job = await session.get(JobRow, row.id, with_for_update=True)
            if job is None or job.attempt != row.attempt or job.status != row.status:
                return False
            await service.put_held(session, job, to, RECOVERED, recovered=True, **values)
        return True


def _is_older(row: Any, attempt: int) -> bool:
    waits = row.status == JobStatus.PENDING
    return bool(attempt > row.attempt or (attempt == row.attempt and waits))


def _as_claimed(folder: RunFolder) -> dict[str, Any]:
    """Columns of an attempt of which nothing has been read; which slot it holds is not known."""
    spec = folder.spec()
    resumes = bool((spec or {}).get("resume_from"))
    return {
        **service.UNSTARTED,
        **({} if resumes else service.FROM_THE_BEGINNING),
        "attempt": folder.attempt,
        "resume": resumes,
        "phase": service.LAUNCHING,
        "started_at": _made_at(folder),
        "heartbeat_at": func.now(),
    }


def _made_at(folder: RunFolder) -> datetime | None:
    try:
        return datetime.fromtimestamp(folder.spec_file.stat().st_mtime, UTC)
    except OSError:
        return None
