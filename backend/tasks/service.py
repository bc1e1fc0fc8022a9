"""What can be done with a task. Every refusal comes before anything is written or started."""

from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.datasets.tables import DatasetUseRow
from backend.errors import Conflict, FieldError, TooMany
from backend.ids import new_id
from backend.jobs import retries
from backend.jobs import service as jobs
from backend.jobs.schemas import TERMINAL, JobStatus, Slot
from backend.models.tables import ModelUseRow
from backend.settings import Settings
from backend.tasks import estimates, exports, memory_risk, plans, queries
from backend.tasks.change_schemas import TaskCreate, TaskUpdate
from backend.tasks.host_facts import HostFacts
from backend.tasks.plan_schemas import Estimate
from backend.tasks.plans import Plan, TaskRefused
from backend.tasks.queries import TRAIN
from backend.tasks.run_spec import spec_of
from backend.tasks.schemas import Task
from backend.tasks.tables import TaskRow
from backend.tasks.view import view_of

MAX_UNFINISHED = 100
OUTPUT_NAME_INDEX = "uq_tasks_output_name"


class TooManyTasks(TooMany):
    """You have {count} tasks that wait or run; wait for one to end, or stop one."""


class TaskIsLive(Conflict):
    """This task is {status}; stop it before you delete it."""


async def create(session: AsyncSession, user: UserRow, facts: HostFacts, body: TaskCreate) -> Task:
    """Check, then write task, job and edges together; the job starts when a slot is free.

    Raises `TaskRefused` with every wrong field, `MemoryWillNotFit` unless that risk is accepted,
    `TooManyTasks`, `Forbidden`.
    """
    policy.require(user, Action.CREATE, user.id)
    await require_place(session, user.id)
    sources = await plans.find(session, user, body, hold=True)
    errors = plans.errors_of(sources)
    errors += facts.device_errors(body.device)
    errors += facts.process_errors(body.device, body.distributed.processes)
    if not await queries.output_name_is_free(session, user.id, body.output_name):
        errors.append(_name_taken(body.output_name))
    if body.parent_id is not None:
        await queries.find(session, user, body.parent_id)
    plan = plans.sound(sources, errors)
    basis = await estimates.basis_of(session, facts, plan)
    expected = estimates.estimate(basis)
    if expected.fit == "will_not_fit" and not body.accept_memory_risk:
        raise memory_risk.refusal(basis)
    try:
        async with session.begin_nested():
            row = await _write(session, user, facts.settings, body, plan, expected)
    except IntegrityError as error:
        if OUTPUT_NAME_INDEX not in str(error.orig):
            raise
        taken = _name_taken(body.output_name)  # by a request at the same moment
        raise TaskRefused(taken.message, errors=[taken]) from error
    return await view_of(session, await queries.find(session, user, row.id))


async def require_place(session: AsyncSession, owner_id: UUID) -> None:
    """Raise `TooManyTasks` when an owner has as many unfinished ones as are allowed."""
    count = await queries.count_unfinished(session, owner_id)
    if count >= MAX_UNFINISHED:
        raise TooManyTasks(params={"count": count})


def _name_taken(name: str) -> FieldError:
    return FieldError(
        pointer="/output_name",
        code="output_name_taken",
        message=f"You already have a model named {name}; choose another name.",
        params={"name": name},
    )


async def _write(
    session: AsyncSession,
    user: UserRow,
    settings: Settings,
    body: TaskCreate,
    plan: Plan,
    expected: Estimate,
) -> TaskRow:
    """Task, job and the edges that keep data and model from being deleted."""
    task_id = new_id()
    job = await jobs.enqueue(
        session,
        kind=TRAIN,
        spec=spec_of(body, plan, settings),
        slot=Slot.TRAINING,
        owner_id=user.id,
        subject_id=task_id,
        memory_bytes=estimates.main_memory(expected),
        priority=body.priority.rank,
        automatic_retries=body.automatic_retries,
    )
    row = TaskRow(
        id=task_id,
        owner_id=user.id,
        job_id=job.id,
        parent_id=body.parent_id,
        name=body.name,
        description=body.description,
        intent=body.intent,
        objective=body.objective,
        method=body.method,
        device=body.device,
        hyperparameters=body.hyperparameters.model_dump(mode="json"),
        output_name=body.output_name,
        accept_memory_risk=body.accept_memory_risk,
        estimate=expected.model_dump(mode="json"),
        model_id=plan.model.id,
        model_name=plan.model.name,
        dataset_id=plan.dataset.id,
        dataset_name=plan.dataset.name,
        dataset_version=plan.dataset.version,
        dataset_split=plan.dataset.split,
        **_validation_of(plan),
    )
    session.add(row)
    edge = {"task_id": task_id, "job_id": job.id, "task_name": body.name}
    sources = [plan.dataset, *([plan.validation] if plan.validation else [])]
    for dataset_id, version in {(each.id, each.version) for each in sources}:
        session.add(DatasetUseRow(dataset_id=dataset_id, version=version, **edge))
    session.add(ModelUseRow(model_id=plan.model.id, **edge))
    await session.flush()
    return row


def _validation_of(plan: Plan) -> dict[str, Any]:
    found = plan.validation
    if found is None:
        return {}
    return {
        "validation_dataset_id": found.id,
        "validation_dataset_name": found.name,
        "validation_version": found.version,
        "validation_split": found.split,
    }


async def stop(session: AsyncSession, user: UserRow, task_id: UUID, *, save: bool) -> Task:
    """Ask a task to end; one that has ended stays what it is."""
    found = await queries.find(session, user, task_id, Action.RUN)
    await jobs.request_stop(session, found.job.id, save)
    return await view_of(session, await queries.find(session, user, task_id))


async def change(session: AsyncSession, user: UserRow, task_id: UUID, body: TaskUpdate) -> Task:
    """Rename, describe, or change how it is queued; raises `NotWaiting` for a priority too late."""
    found = await queries.find(session, user, task_id, Action.CHANGE)
    if body.priority is not None:
        await retries.set_priority(session, found.job, body.priority)
    if body.automatic_retries is not None:
        found.job.automatic_retries = body.automatic_retries
    if body.tags is not None:
        found.row.tags = body.tags
    if body.description is not None:
        found.row.description = body.description
    if body.name is not None:
        found.row.name = body.name
        for edge in (DatasetUseRow, ModelUseRow):
            await session.execute(
                update(edge).where(edge.task_id == task_id).values(task_name=body.name)
            )
    await session.flush()
    return await view_of(session, found)


async def delete(session: AsyncSession, user: UserRow, task_id: UUID) -> list[UUID]:
    """Forget a task that has ended or still waits; returns the jobs whose folders can go.

    Its exports go with it, those that run are stopped.

    The folders are removed after the commit: a failed one must not cost the files.
    """
    found = await queries.find(session, user, task_id, Action.DELETE)
    job = await jobs.get(session, found.job.id, lock=True)
    if job.status is JobStatus.PENDING:
        job = await jobs.request_stop(session, job.id, save=False)
    if job.status not in TERMINAL:
        raise TaskIsLive(params={"status": job.status})
    ended = await exports.forget_all(session, task_id)
    await session.delete(found.row)
    await session.flush()
    await jobs.delete(session, job.id)
    return [job.id, *ended]
