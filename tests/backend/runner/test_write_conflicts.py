"""Writes of the supervisor that meet others in a real PostgreSQL."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.database import SessionFactory, transaction
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from tests.backend.runner import outcome
from tests.backend.runner.conftest import FAKE, QUICK, Bench, supervising


async def test_the_end_of_a_run_survives_a_deadlock(
    bench: Bench, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor has the job's row and wants another; somebody has that and wants the job's."""
    async with transaction(sessions) as session:
        wanted = await jobs.enqueue(
            session, kind="x", spec={}, slot=Slot.LIGHT, owner_id=None, subject_id=new_id()
        )
    told = asyncio.Event()
    calls = 0

    async def apply(session: AsyncSession, job: JobRow) -> None:
        nonlocal calls
        calls += 1
        told.set()
        await jobs.get(session, wanted.id, lock=True)

    monkeypatch.setattr(outcome, "apply", apply)

    async def in_its_way(job_id: UUID) -> None:
        async with transaction(sessions) as session:
            # Never the victim: it looks for deadlocks later than the other does.
            await session.execute(text("SET LOCAL deadlock_timeout = '60s'"))
            await jobs.get(session, wanted.id, lock=True)
            await told.wait()
            await jobs.get(session, job_id, lock=True)

    async with supervising(bench, kinds={"fake": FAKE}, timeouts=QUICK):
        job_id = await bench.queue(steps=100, step_s=0.01)
        await bench.until_step(job_id, 1)
        other = asyncio.create_task(in_its_way(job_id))
        ended = await bench.until_ended(job_id)
        await other
    assert (ended.status, ended.error) == (JobStatus.COMPLETED, None)
    assert calls == 2
    moves = [move.to_status for move in await bench.history(job_id)]
    assert moves.count(JobStatus.COMPLETED) == 1
