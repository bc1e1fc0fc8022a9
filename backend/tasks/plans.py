"""What a task would be made of, and what is wrong with it: found before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import policy
from backend.accounts.tables import UserRow
from backend.datasets.choice import TRAIN, VALIDATION, ChosenRows, choose
from backend.datasets.tables import DatasetRow
from backend.errors import FieldError, Refused
from backend.models.tables import ModelRow
from backend.tasks import chat_template, compatibility
from backend.tasks.plan_schemas import TaskPlan

NO_TEMPLATE = "no_chat_template"


class TaskRefused(Refused):
    """This can not be trained like this; the marked fields say why."""


@dataclass(frozen=True)
class Found:
    """What the ids of a plan stand for; None for what is not there, or not for this user."""

    asked: TaskPlan
    dataset: ChosenRows | None
    validation: ChosenRows | None
    model: ModelRow | None


@dataclass(frozen=True)
class Plan:
    """A plan whose parts are all there."""

    asked: TaskPlan
    dataset: ChosenRows
    validation: ChosenRows | None
    model: ModelRow


async def find(
    session: AsyncSession, user: UserRow, asked: TaskPlan, *, hold: bool = False
) -> Found:
    """Look the ids up; `hold` keeps the rows from being deleted before the task is written."""
    models = select(ModelRow).where(ModelRow.id == asked.model_id)
    row = await _dataset(session, user, asked.dataset_id, hold)
    version, split = asked.dataset_version, asked.dataset_split
    dataset = await choose(session, row, version, split, TRAIN) if row else None
    return Found(
        asked,
        dataset=dataset,
        validation=await _validation(session, user, asked, dataset, hold),
        model=await session.scalar(models.with_for_update(read=True) if hold else models),
    )


async def _validation(
    session: AsyncSession, user: UserRow, asked: TaskPlan, dataset: ChosenRows | None, hold: bool
) -> ChosenRows | None:
    """What is measured with: the data set that is named, or the part of the trained one that is
    kept for it."""
    if asked.validation_dataset_id is not None:
        row = await _dataset(session, user, asked.validation_dataset_id, hold)
        version, split = asked.validation_version, asked.validation_split
        return await choose(session, row, version, split, VALIDATION) if row else None
    split = asked.validation_split
    if dataset is None or (split is None and not _keeps_some(dataset)):
        return None
    row = await _dataset(session, user, dataset.id, hold)
    version = asked.validation_version or dataset.version
    return await choose(session, row, version, split, VALIDATION) if row else None


def _keeps_some(dataset: ChosenRows) -> bool:
    """Whether the version holds rows back to measure with, which are not trained on."""
    return dataset.split not in (None, VALIDATION) and VALIDATION in dataset.splits


async def _dataset(
    session: AsyncSession, user: UserRow, dataset_id: UUID | None, hold: bool
) -> DatasetRow | None:
    if dataset_id is None:
        return None
    query = select(DatasetRow).where(DatasetRow.id == dataset_id)
    row: DatasetRow | None = await session.scalar(
        query.with_for_update(read=True) if hold else query
    )
    return row if row is not None and policy.may_see(user, row.owner_id) else None


def errors_of_sources(found: Found) -> list[FieldError]:
    """What keeps this data from training this model, whatever the values are."""
    objective = found.asked.objective
    own_template = found.asked.chat_template is not None
    return [
        *compatibility.dataset_errors(found.dataset, objective),
        *(
            error
            for error in compatibility.model_errors(found.model, objective)
            if not (own_template and error.code == NO_TEMPLATE)
        ),
    ]


def errors_of(found: Found) -> list[FieldError]:
    """Everything that keeps the plan from being trained; empty when nothing does."""
    asked = found.asked
    errors = errors_of_sources(found)
    errors += compatibility.length_errors(found.model, asked.hyperparameters.max_length)
    errors += compatibility.method_errors(asked)
    errors += chat_template.errors_of(asked.chat_template)
    if asked.validation_dataset_id is not None or found.validation is not None:
        pointer = compatibility.VALIDATION
        errors += compatibility.dataset_errors(found.validation, asked.objective, pointer)
    if found.dataset and found.validation and found.dataset.has_all_of(found.validation):
        errors.append(compatibility.same_data())
    return errors


def sound(found: Found, errors: Sequence[FieldError]) -> Plan:
    """The plan, when there are no `errors`; else raises `TaskRefused` with all of them."""
    if errors:
        raise TaskRefused(errors[0].message, errors=errors)
    assert found.dataset is not None
    assert found.model is not None
    return Plan(found.asked, found.dataset, found.validation, found.model)
