"""Notices are written with what they tell: together with it, once, or not at all."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.ids import new_id
from backend.jobs.schemas import JobStatus, StopMode
from backend.jobs.tables import JobRow
from backend.models import outcome as models_outcome
from backend.notices import service
from backend.notices.kinds import NoticeKind, SubjectType
from backend.notices.tables import NoticeDeliveryRow, NoticeRow
from backend.runner.kinds import KINDS
from backend.settings import Settings
from backend.tasks import outcome
from tests.backend.notices.conftest import ERROR, AddTarget, Announce
from tests.backend.tasks.conftest import MakeRun, Run, make_run
from tests.backend.tasks.sources import add_model
from tests.conftest import make_user

__all__ = ["make_run"]
HOOK = "https://hooks.example.com/x"


async def notices(session: AsyncSession) -> list[tuple[str, dict[str, Any]]]:
    """Kind and params of all there are, oldest first."""
    rows = await session.scalars(select(NoticeRow).order_by(NoticeRow.id))
    return [(row.kind, row.params) for row in rows]


async def deliveries(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(NoticeDeliveryRow)) or 0


async def test_what_is_rolled_back_is_not_announced(
    sessions: SessionFactory, session: AsyncSession, administrator: UserRow, add_target: AddTarget
) -> None:
    await add_target(HOOK)
    async with sessions() as lost:
        await service.announce(
            lost,
            kind=NoticeKind.TASK_COMPLETED,
            owner_id=administrator.id,
            subject_type=SubjectType.TASK,
            subject_id=new_id(),
            subject_name="x",
        )
        assert await deliveries(lost) == 1
        await lost.rollback()
    assert await notices(session) == []
    assert await deliveries(session) == 0


async def test_the_same_key_is_announced_once(
    announce: Announce, session: AsyncSession, add_target: AddTarget
) -> None:
    await add_target(HOOK)
    for _ in range(3):
        await announce(key="job:1:end")
    await announce(key="job:2:end")
    assert len(await notices(session)) == 2
    assert await deliveries(session) == 2


async def test_targets_get_the_kinds_they_want_while_they_are_on(
    announce: Announce, session: AsyncSession, add_target: AddTarget
) -> None:
    wants = await add_target(HOOK, kinds=["task_failed", "model_ready"])
    await add_target(HOOK, kinds=["task_completed"])
    await add_target(HOOK, kinds=["task_failed"], enabled=False)
    await announce(NoticeKind.TASK_FAILED)
    [row] = await session.scalars(select(NoticeDeliveryRow))
    assert str(row.target_id) == wants["id"]


async def test_an_owner_who_is_gone_keeps_nothing_from_being_told(
    announce: Announce, session: AsyncSession, add_target: AddTarget
) -> None:
    await add_target(HOOK)
    await announce(owner_id=new_id())
    await announce(owner_id=None)
    rows = list(await session.scalars(select(NoticeRow)))
    assert [(row.owner_id, row.in_app) for row in rows] == [(None, False)] * 2
    assert await deliveries(session) == 2


async def end(run: Run, to: JobStatus, how_often: int = 1, **values: Any) -> None:
    """The run ends and its feature hears of it, as the supervisor does it."""
    await run.set(finished_at=func.now(), **values)
    for _ in range(how_often):
        async with transaction(run.sessions) as session:
            job = await session.get_one(JobRow, run.job_id)
            assert job.status is to
            await outcome.apply(session, job)


async def test_the_end_of_a_task(make_run: MakeRun, session: AsyncSession) -> None:
    done, failed, stopped, ended = [
        await make_run(status)
        for status in (
            JobStatus.COMPLETED,
            JobStatus.FAILED,
            JobStatus.STOPPED,
            JobStatus.STOPPED,
        )
    ]
    await end(done, JobStatus.COMPLETED, how_often=2, metrics={"loss": 1.25})
    await end(failed, JobStatus.FAILED, error={**ERROR, "log_line": "1-0"})
    await end(stopped, JobStatus.STOPPED, stop_requested=StopMode.SAVE)
    await end(ended, JobStatus.STOPPED)
    found = await notices(session)
    assert [kind for kind, _ in found] == ["task_completed", "task_failed", "task_stopped"]
    assert found[0][1]["loss"] == 1.25
    assert found[1][1]["error"] == ERROR


async def test_a_silent_run_is_told_once_an_attempt(
    make_run: MakeRun, session: AsyncSession
) -> None:
    run = await make_run(JobStatus.RUNNING)
    kind = KINDS["train"]
    assert kind.stalled is not None
    for _ in range(2):
        async with transaction(run.sessions) as writing:
            job = await writing.get_one(JobRow, run.job_id)
            await kind.told(kind.stalled)(writing, job)
    assert [kind for kind, _ in await notices(session)] == ["task_stalled"]


@pytest.mark.parametrize(("took_s", "told"), [(3, []), (20, ["model_failed"])])
async def test_only_long_work_is_announced(
    session: AsyncSession,
    settings: Settings,
    administrator: UserRow,
    make_run: MakeRun,
    took_s: int,
    told: list[str],
) -> None:
    run = await make_run(JobStatus.FAILED)
    model = await add_model(session, settings)
    await session.commit()
    await run.set(
        error=ERROR,
        subject_id=model.id,
        spec={"target": "/nowhere", "partial": "/nowhere"},
        started_at=func.now() - timedelta(seconds=took_s),
        finished_at=func.now(),
    )
    job = await session.get_one(JobRow, run.job_id)
    await models_outcome.apply(session, job)
    assert [kind for kind, _ in await notices(session)] == told


async def test_muted_kinds_are_not_shown_but_told_outside(
    client: httpx.AsyncClient, announce: Announce, session: AsyncSession, add_target: AddTarget
) -> None:
    await add_target(HOOK)
    chosen = {"kinds": ["task_completed"]}
    answer = await client.put("/api/v1/notices/preferences", json=chosen)
    assert answer.json() == chosen
    await announce(NoticeKind.TASK_FAILED)
    await announce(NoticeKind.TASK_COMPLETED)
    shown = (await client.get("/api/v1/notices")).json()
    assert [item["kind"] for item in shown["items"]] == ["task_completed"]
    assert shown["unread"] == 1
    assert await deliveries(session) == 2


async def test_a_deleted_user_takes_their_notices_along(
    sessions: SessionFactory, session: AsyncSession, announce: Announce
) -> None:
    bob = await make_user(sessions, "bob", Role.MEMBER)
    subject: UUID = await announce(owner_id=bob.id)
    assert subject
    async with transaction(sessions) as writing:
        await writing.delete(await writing.get_one(UserRow, bob.id))
    assert await notices(session) == []
