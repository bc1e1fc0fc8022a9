"""What a preparation is asked to do, checked and resolved as far as that needs no look at rows.

Sources get the version that they have now, so that the same request later is seen to be another.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.tables import UserRow
from backend.datasets import files, queries
from backend.datasets.prepare_schemas import (
    ConcatenateStep,
    ExcludeStep,
    MixStep,
    PreviewRequest,
    Source,
    Step,
)
from backend.datasets.preparing.record_types import DoesNotFit, after_steps
from backend.datasets.queries import DatasetNotFound
from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow, DatasetVersionRow
from backend.datasets.versions.names import FORMER_RECORDS_FILE, RECORDS_FILE
from backend.errors import Conflict, FieldError, NotFound, Refused
from backend.settings import Settings
from training_engine.contract.names import RecordType

FINDINGS_FILE = "findings.arrow"


class SourceNotFound(NotFound):
    """There is no data set {dataset_id} (any more), or it is not yours. Choose another source."""


class SourceVersionNotFound(NotFound):
    """“{name}” has no version {version} (any more). Choose another one."""


class NotPreparable(Conflict):
    """“{name}” is {status}: only a version that is ready can be prepared. Finish its import first,
    or choose another version."""


class DifferentRecords(Conflict):
    """“{name}” has {other} records and these are {own}: they can not be put together. Turn one into
    the other first, with a step “map”."""


class ChangeDoesNotFit(Refused):
    """Step {step}: “{change}” can not be done with {record_type} records. Remove that change."""


class NotExamined(Conflict):
    """This version has not been examined yet, so its findings are not known. Wait until it is."""


class NoSuchRow(Refused):
    """There is no row {row} to exclude: the version has {num_rows} rows, numbered from 0."""


class BadExpression(Refused):
    """Step {step}: this expression can not be used: {reason}"""


@dataclass(frozen=True)
class Rows:
    """A version that rows are taken from."""

    dataset_id: str
    version: int
    name: str
    folder: Path
    num_rows: int

    def as_json(self) -> dict[str, Any]:
        """For a spec."""
        return {**self.lineage(), "folder": str(self.folder), "num_rows": self.num_rows}

    def lineage(self) -> dict[str, Any]:
        """For the row of the version that is made."""
        return {"dataset_id": self.dataset_id, "version": self.version, "name": self.name}


@dataclass(frozen=True)
class Asked:
    """`sources` has a list for each step, in the order in which the step names them."""

    base: Rows
    record_type: RecordType
    types: list[RecordType]
    steps: list[Step]
    sources: list[list[Rows]]

    def steps_as_json(self) -> list[dict[str, Any]]:
        """The steps with the versions that they take rows from."""
        found = []
        for step, sources in zip(self.steps, self.sources, strict=True):
            values = step.model_dump(mode="json", by_alias=True)
            for item, rows in zip(values.get("sources", ()), sources, strict=True):
                item["version"] = rows.version
            found.append(values)
        return found

    def every_source(self) -> list[Rows]:
        """Each version beside the base once."""
        rows = [each for sources in self.sources for each in sources]
        own = (self.base.dataset_id, self.base.version)
        found = {(each.dataset_id, each.version): each for each in rows}
        return [each for key, each in found.items() if key != own]


async def resolve(
    session: AsyncSession,
    settings: Settings,
    user: UserRow,
    row: DatasetRow,
    body: PreviewRequest,
) -> Asked:
    """Look up every version that is named and check that the steps fit the records."""
    base, record_type = await _rows(session, settings, row, body.version)
    try:
        types = after_steps(body.steps, record_type)
    except DoesNotFit as error:
        raise _does_not_fit(error) from error
    sources: list[list[Rows]] = []
    for number, (step, own) in enumerate(zip(body.steps, types, strict=True)):
        found = []
        if isinstance(step, ConcatenateStep | MixStep):
            for place, source in enumerate(step.sources):
                pointer = f"/steps/{number}/sources/{place}"
                found.append(await _source(session, settings, user, source, own, pointer))
        sources.append(found)
        if isinstance(step, ExcludeStep):
            _require_rows(step, base, number)
    return Asked(base, record_type, types, body.steps, sources)


def _does_not_fit(error: DoesNotFit) -> ChangeDoesNotFit:
    params: dict[str, str | int] = {
        "step": error.step + 1,
        "change": error.kind,
        "record_type": error.record_type.value,
    }
    refused = ChangeDoesNotFit(params=params)
    pointer = f"/steps/{error.step}/changes/{error.change}"
    refused.errors = [FieldError(pointer=pointer, code="does_not_fit", message=refused.title)]
    return refused


def _require_rows(step: ExcludeStep, base: Rows, number: int) -> None:
    if step.findings and not (base.folder / FINDINGS_FILE).is_file():
        raise NotExamined
    beyond = [row for row in step.rows if row >= base.num_rows]
    if beyond:
        message = f"the version has {base.num_rows} rows, numbered from 0; there is no {beyond[0]}"
        errors = [FieldError(pointer=f"/steps/{number}/rows", code="no_row", message=message)]
        raise NoSuchRow(params={"row": beyond[0], "num_rows": base.num_rows}, errors=errors)


async def _source(
    session: AsyncSession,
    settings: Settings,
    user: UserRow,
    source: Source,
    own: RecordType,
    pointer: str,
) -> Rows:
    """A version whose records are of the type `own`."""
    where = str(source.dataset_id)
    try:
        row = await queries.find(session, user, source.dataset_id)
    except DatasetNotFound as error:
        errors = [FieldError(pointer=pointer, code="not_found", message=where)]
        raise SourceNotFound(params={"dataset_id": where}, errors=errors) from error
    rows, record_type = await _rows(session, settings, row, source.version)
    if record_type != own:
        params = {"name": row.name, "other": record_type.value, "own": own.value}
        errors = [FieldError(pointer=pointer, code="different_records", message=record_type)]
        raise DifferentRecords(params=params, errors=errors)
    return rows


async def _rows(
    session: AsyncSession, settings: Settings, row: DatasetRow, number: int | None
) -> tuple[Rows, RecordType]:
    """A version that is ready, and the type of its records."""
    version = row.version if number is None else number
    found = await session.get(DatasetVersionRow, (row.id, version))
    # The version itself, where there is one: the data set may be on its way to another.
    facts: DatasetRow | DatasetVersionRow | None = found
    if facts is None and version == row.version:
        facts = row
    if facts is None:
        raise SourceVersionNotFound(params={"name": row.name, "version": version})
    if facts.status != DatasetStatus.READY or facts.record_type is None:
        raise NotPreparable(params={"name": row.name, "status": facts.status})
    folder = files.version_dir(settings, row.id, version)
    if not any((folder / name).is_file() for name in (RECORDS_FILE, FORMER_RECORDS_FILE)):
        raise SourceVersionNotFound(params={"name": row.name, "version": version})
    rows = Rows(str(row.id), version, row.name, folder, facts.num_rows or 0)
    return rows, RecordType(facts.record_type)
