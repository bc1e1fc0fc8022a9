"""What a task would be made of, and what is wrong with it: found before anything is written."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import policy
from backend.accounts.tables import UserRow
from backend.datasets.tables import DatasetRow
from backend.errors import FieldError
from backend.models.tables import ModelRow
from backend.tasks import compatibility
from backend.tasks.schemas import TaskPlan


@dataclass(frozen=True)
class Found:
    """What the ids of a plan stand for; None for what is not there, or not for this user."""

    asked: TaskPlan
    dataset: DatasetRow | None
    validation: DatasetRow | None
    model: ModelRow | None


@dataclass(frozen=True)
class Plan:
    """A plan whose parts are all there."""

    asked: TaskPlan
    dataset: DatasetRow
    validation: DatasetRow | None
    model: ModelRow


async def find(session: AsyncSession, user: UserRow, asked: TaskPlan) -> Found:
    """Look the ids up and hold the rows, so that none is deleted before the task is written."""
    validation = (
        await _dataset(session, user, asked.validation_dataset_id)
        if asked.validation_dataset_id
        else None
    )
    model = await session.scalar(
        select(ModelRow).where(ModelRow.id == asked.model_id).with_for_update(read=True)
    )
    dataset = await _dataset(session, user, asked.dataset_id)
    return Found(asked, dataset, validation, model)


async def _dataset(session: AsyncSession, user: UserRow, dataset_id: UUID) -> DatasetRow | None:
    query = select(DatasetRow).where(DatasetRow.id == dataset_id).with_for_update(read=True)
    row: DatasetRow | None = await session.scalar(query)
    return row if row is not None and policy.may_see(user, row.owner_id) else None


def errors_of(found: Found) -> list[FieldError]:
    """Everything that keeps the plan from being trained; empty when nothing does."""
    asked = found.asked
    record_type = found.dataset.record_type if found.dataset else None
    errors = [
        *compatibility.dataset_errors(found.dataset, asked.objective),
        *compatibility.model_errors(found.model, record_type),
        *compatibility.length_errors(found.model, asked.hyperparameters.max_length),
    ]
    if asked.validation_dataset_id is not None:
        pointer = compatibility.VALIDATION
        errors += compatibility.dataset_errors(found.validation, asked.objective, pointer)
        if asked.validation_dataset_id == asked.dataset_id:
            errors.append(compatibility.same_data())
    return errors


def sound(found: Found) -> Plan:
    """The plan, when `errors_of` found nothing."""
    assert found.dataset is not None
    assert found.model is not None
    return Plan(found.asked, found.dataset, found.validation, found.model)
