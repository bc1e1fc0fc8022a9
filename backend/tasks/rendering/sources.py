"""Which rows are shown by which model for which objective: ids and wishes become files."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.tables import UserRow
from backend.datasets import files
from backend.datasets import queries as datasets
from backend.datasets.choice import ChosenRows, choose
from backend.datasets.version_service import USABLE, DatasetVersionNotFound
from backend.errors import Conflict, FieldError, Refused
from backend.models import queries as models
from backend.models.tables import ModelRow
from backend.settings import Settings
from backend.tasks import chat_template, compatibility, plans
from backend.tasks.run_spec import model_folder
from training_engine.contract.choices import RECORD_TYPES_OF, Objective


class RowsNotUnderstood(Conflict):
    """These rows have no known form yet, so no model can see them; wait for the import, or say
    what the columns are."""


class TokensMisfit(Refused):
    """A model can not see these rows like this: {reason}"""


@dataclass(frozen=True)
class Wish:
    """What rows and which model; None leaves the choice to what fits."""

    model_id: UUID
    version: int | None = None
    objective: Objective | None = None
    chat_template: str | None = None


@dataclass(frozen=True)
class Source:
    """The files behind a wish."""

    folder: Path
    records: Path
    model: Path
    trusted_code_sha256: str | None
    objective: Objective
    chat_template: str | None
    context_length: int | None


async def find(
    session: AsyncSession, user: UserRow, settings: Settings, dataset_id: UUID, wish: Wish
) -> Source:
    """Raises `DatasetNotFound`, `ModelNotFound`, `DatasetVersionNotFound`, `RowsNotUnderstood`,
    `TokensMisfit` and `TaskRefused`."""
    data = await datasets.find(session, user, dataset_id)
    model = await models.find(session, wish.model_id)
    rows = await choose(session, data, wish.version)
    if rows.missing == "version":
        raise DatasetVersionNotFound
    folder = files.version_dir(settings, data.id, rows.version)
    if rows.status not in USABLE or not await asyncio.to_thread(folder.is_dir):
        raise RowsNotUnderstood
    objective = _objective(rows, model, wish)
    return Source(
        folder,
        records=files.records_file(settings, data.id, rows.version),
        model=await asyncio.to_thread(model_folder, settings, model),
        trusted_code_sha256=model.trusted_code_sha256,
        objective=objective,
        chat_template=wish.chat_template,
        context_length=model.context_length,
    )


def _objective(data: ChosenRows, model: ModelRow, wish: Wish) -> Objective:
    """What was asked for, or the first for which rows and model fit; raises `TokensMisfit`."""
    fitting = [o for o in Objective if data.record_type in RECORD_TYPES_OF[o]]
    tried = [wish.objective] if wish.objective is not None else fitting
    if not tried:
        raise TokensMisfit(params={"reason": f"no objective trains on {data.record_type} rows."})
    found = [(each, list(_errors(data, model, wish, each))) for each in tried]
    right = [each for each, errors in found if not errors]
    if right:
        return right[0]
    errors = found[0][1]
    raise TokensMisfit(params={"reason": errors[0].message}, errors=errors)


def _errors(
    data: ChosenRows, model: ModelRow, wish: Wish, objective: Objective
) -> Iterator[FieldError]:
    """What keeps these rows from being this model's; whether they are ready is another matter."""
    wrong = compatibility.dataset_errors(data, objective)
    yield from (error for error in wrong if error.code == "record_type_mismatch")
    own = wish.chat_template is not None
    for error in compatibility.model_errors(model, objective):
        if not (own and error.code == plans.NO_TEMPLATE):
            yield error
    yield from chat_template.errors_of(wish.chat_template)
