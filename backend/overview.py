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
from backend.tasks.tables import TaskRow


async def overview(session: AsyncSession, user: UserRow) -> Overview:
    """What `user` sees in the lists."""
    data = visible(select(func.count()).select_from(DatasetRow), user, DatasetRow.owner_id)
    tasks = visible(
        select(JobRow.status, func.count().label("tasks"))
        .join(TaskRow, TaskRow.job_id == JobRow.id)
        .group_by(JobRow.status),
        user,
        TaskRow.owner_id,
    )
    return Overview(
        datasets=await session.scalar(data) or 0,
        models=await session.scalar(select(func.count()).select_from(ModelRow)) or 0,
        tasks={row.status: row.tasks for row in await session.execute(tasks)},
    )


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
