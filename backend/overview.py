"""Counts and slots for the first page: the facts that several rooms know together."""

from collections.abc import Awaitable, Callable
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.policy import Action, may, visible
from backend.accounts.tables import UserRow
from backend.datasets.tables import DatasetRow
from backend.jobs import lease
from backend.jobs import service as jobs
from backend.jobs.schemas import Slot
from backend.jobs.tables import JobRow
from backend.models.tables import ModelRow
from backend.runner.slots import slots_of, visible_gpus
from backend.runner.supervisor import Supervisor
from backend.settings import Settings
from backend.system.schemas import Overview
from backend.system.sources import Slots
from backend.tasks.queries import TRAIN


async def overview(session: AsyncSession, user: UserRow) -> Overview:
    """What `user` sees in the lists."""
    data = visible(select(func.count()).select_from(DatasetRow), user, DatasetRow.owner_id)
    models = select(func.count()).select_from(ModelRow)
    # Of the jobs alone, whose index has all of it: a task and its job have one owner, and a task
    # that was deleted has taken its job along, or left it forgotten.
    jobs_of = visible(
        select(JobRow.status, func.count().label("tasks"))
        .where(JobRow.kind == TRAIN, ~JobRow.forgotten)
        .group_by(JobRow.status),
        user,
        JobRow.owner_id,
    ).subquery()
    tasks = select(func.json_object_agg(jobs_of.c.status, jobs_of.c.tasks))
    # One question for all three: the page asks every few seconds.
    found = await session.execute(
        select(data.scalar_subquery(), models.scalar_subquery(), tasks.scalar_subquery())
    )
    datasets_count, models_count, by_status = found.one()
    return Overview(datasets=datasets_count, models=models_count, tasks=by_status or {})


def sees_paths(user: UserRow) -> bool:
    """Only those who run the installation."""
    return may(user, Action.ADMINISTER, None)


def slots_source(
    settings: Settings, supervisor: Supervisor | None
) -> Callable[[AsyncSession], Awaitable[Slots]]:
    """How many trainings may run and do, and whether anybody starts them."""
    total = slots_of(settings, visible_gpus())[Slot.TRAINING]

    async def slots(session: AsyncSession) -> Slots:
        state: Literal["leading", "standby", "absent"] = "absent"
        if supervisor is not None and supervisor.leading:
            state = "leading"
        elif await lease.current(session) is not None:
            state = "standby"
        used = await jobs.live_count(session, Slot.TRAINING)
        unknown = len(supervisor.unknown_runs) if supervisor is not None else 0
        return Slots(total=total, used=used, supervisor=state, unknown_runs=unknown)

    return slots
