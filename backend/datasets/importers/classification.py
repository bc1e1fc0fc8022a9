"""Texts with a label: `{"text", "label"}`; several labels as a list."""

from typing import Any

from backend.datasets.importers.importer import Fields, Importer, Repairs, has, required_text
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType


def label_of(value: Any, field: str) -> Any:
    """A label as it is; raises `RowError` for none or for what can not be one.

    An empty list is a text without a class: where rows have several, that says something.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        raise RowError("missing_label", field, f"“{field}” is empty.")
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list):
        if all(isinstance(v, str) for v in value):
            return value
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
            return [float(v) for v in value]
    raise RowError(
        "wrong_type", field, f"“{field}” must be a text, a number or a list of one kind."
    )


def _matches(row: Fields) -> bool:
    return has(row, "text", "label")


def _convert(row: Fields, repairs: Repairs) -> Fields:
    text = required_text(row, "text", "empty_text", repairs)
    return {"text": text, "label": label_of(row.get("label"), "label")}


IMPORTER = Importer(
    "classification",
    RecordType.CLASSIFICATION,
    "the rows have “text” and “label”",
    _matches,
    _convert,
    frozenset(("text", "label")),
)
