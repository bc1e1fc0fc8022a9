"""Another attempt at a task: from its newest checkpoint or anew, in less memory when asked."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.errors import Conflict, FieldError
from backend.jobs import service as jobs
from backend.jobs.schemas import TERMINAL
from backend.jobs.tables import JobRow
from backend.tasks import estimates, plans, queries
from backend.tasks.change_schemas import AgainRequest
from backend.tasks.host_facts import HostFacts
from backend.tasks.plan_schemas import TaskPlan
from backend.tasks.plans import Plan, TaskRefused
from backend.tasks.schemas import Task
from backend.tasks.service import require_place
from backend.tasks.tables import TaskRow
from backend.tasks.view import view_of
from training_engine.contract.hyperparameters import Hyperparameters

# What a plan takes from the task, and from the spec of its job.
_OF_THE_TASK = (
    "objective", "model_id", "dataset_id", "dataset_version", "dataset_split",
    "validation_dataset_id", "validation_version", "validation_split", "method",
    "hyperparameters", "device",
)  # fmt: skip
_OF_THE_SPEC = ("distributed", "precision", "deterministic", "chat_template")


class SourceGone(Conflict):
    """The {what} of this task is no longer there; create a new task instead."""


async def run_again(
    session: AsyncSession,
    user: UserRow,
    facts: HostFacts,
    task_id: UUID,
    changes: AgainRequest,
    *,
    resume: bool,
) -> Task:
    """A new attempt: from the newest checkpoint, or from the beginning.

    `changes`: how it is computed from now on; the result is the same. Raises `InvalidTransition`
    while it has not ended, `NotResumable`, `SourceGone`, `TooManyTasks`, `TaskRefused` for a
    micro-batch larger than the batch.
    """
    found = await queries.find(session, user, task_id, Action.RUN)
    if found.job.status in TERMINAL:
        gone = await asyncio.to_thread(_missing_source, found.job.spec)
        if gone is not None:
            raise SourceGone(params={"what": gone})
        await require_place(session, found.row.owner_id)
    job = await jobs.requeue(session, found.job.id, resume=resume)
    changed = changes.model_dump(mode="json", exclude_none=True)
    if changed:
        _compute_otherwise(found.row, job, changed)
        await _expect_again(session, user, facts, found.row, job)
    return await view_of(session, await queries.find(session, user, task_id))


def _compute_otherwise(row: TaskRow, job: JobRow, changed: Mapping[str, Any]) -> None:
    """Write the changed knobs into the task and the spec of its job."""
    batch_size = Hyperparameters.model_validate(row.hyperparameters).batch_size
    if changed.get("micro_batch_size", 1) > batch_size:
        message = f"At most the batch size ({batch_size}) can be computed at once."
        error = FieldError(
            pointer="/micro_batch_size", code="micro_batch_over_batch", message=message
        )
        raise TaskRefused(message, errors=[error])
    row.hyperparameters = {**row.hyperparameters, **changed}
    job.spec = {**job.spec, "hyperparameters": row.hyperparameters}


async def _expect_again(
    session: AsyncSession, user: UserRow, facts: HostFacts, row: TaskRow, job: JobRow
) -> None:
    """What it needs now; what was expected stays where model or data have been forgotten."""
    asked = TaskPlan.model_validate(
        {
            **{name: getattr(row, name) for name in _OF_THE_TASK},
            **{name: job.spec[name] for name in _OF_THE_SPEC if name in job.spec},
        }
    )
    sources = await plans.find(session, user, asked)
    if sources.dataset is None or sources.model is None:
        return
    plan = Plan(asked, sources.dataset, sources.validation, sources.model)
    expected = estimates.estimate(await estimates.basis_of(session, facts, plan))
    row.estimate = expected.model_dump(mode="json")
    job.memory_bytes = estimates.main_memory(expected)


def _missing_source(spec: Mapping[str, Any]) -> str | None:
    """What of a stored spec is no longer on the disk."""
    validation = spec.get("validation_dataset")
    if not Path(spec["dataset"]["path"]).is_file():
        return "data set"
    if validation and not Path(validation["path"]).is_file():
        return "validation data set"
    return None if Path(spec["model"]["path"]).is_dir() else "model"
