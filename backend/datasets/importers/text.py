"""Plain text for further pre-training: `{"text"}`."""

from backend.datasets.importers.importer import Fields, Importer, Repairs, required_text
from training_engine.contract.names import RecordType


def _matches(row: Fields) -> bool:
    return "text" in row


def _convert(row: Fields, repairs: Repairs) -> Fields:
    return {"text": required_text(row, "text", "empty_text", repairs)}


IMPORTER = Importer(
    "text",
    RecordType.LANGUAGE_MODELING,
    "the rows have “text” and nothing to answer",
    _matches,
    _convert,
    frozenset(("text",)),
)
