"""Plain text for further pre-training: `{"text"}`."""

from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    refuse_media,
    required_text,
)
from backend.datasets.importers.questions import ANSWER_NAMES, PROMPT_NAMES, names_in
from training_engine.contract.names import RecordType

# Beside a text these say that there is more to learn than the text.
TARGETS = ("labels", "target", "class", "category", "sentiment", "summary", "translation")


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    return {"text": required_text(row, "text", "empty_text", repairs)}


def _doubt(row: Fields) -> str | None:
    others = [name for name in names_in(row, (*PROMPT_NAMES, *ANSWER_NAMES)) if name != "text"]
    others += names_in(row, TARGETS)
    return f"“{others[0]}” beside “text” may be what is to be learnt" if others else None


IMPORTER = Importer(
    "text",
    RecordType.LANGUAGE_MODELING,
    "the rows have “text” and nothing to answer",
    lambda row: "text" in row,
    _convert,
    frozenset(("text",)),
    doubt=_doubt,
)
