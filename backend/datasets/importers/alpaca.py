"""Alpaca's instructions: `{"instruction", "input"?, "output", "system"?, "history"?}`.

`history` holds earlier turns as pairs of question and answer. Some files say `response` for
`output`.
"""

from collections.abc import Collection

from backend.datasets.importers.conversation import TOOLS, talk
from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    joined,
    refuse_media,
    required_text,
    text_of,
)
from backend.datasets.importers.questions import (
    CONTEXT_NAMES,
    history_of,
    names_in,
    system_name,
    system_turns,
)
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType


def answer_name(row: Collection[str]) -> str:
    """The column of the answer."""
    return "response" if "response" in row and "output" not in row else "output"


def _matches(row: Fields) -> bool:
    return "instruction" in row and ("output" in row) != ("response" in row)


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    instruction = text_of(row.get("instruction"), "instruction", repairs)
    prompt = joined(instruction, text_of(row.get("input"), "input", repairs))
    if not prompt:
        raise RowError("missing_prompt", "instruction", "“instruction” is empty.")
    answer = required_text(row, answer_name(row), "missing_answer", repairs)
    turns = [
        *system_turns(row, repairs),
        *history_of(row.get("history"), repairs),
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": answer},
    ]
    return talk(turns, row, repairs)


def _uses(row: Fields) -> Collection[str]:
    return (answer_name(row), system_name(row) or "system")


def _doubt(row: Fields) -> str | None:
    context = names_in(row, CONTEXT_NAMES)
    return f"“{context[0]}” may be part of the prompt" if context else None


IMPORTER = Importer(
    "alpaca",
    RecordType.PROMPT_COMPLETION,
    "the rows have “instruction” and its answer",
    _matches,
    _convert,
    frozenset(("instruction", "input", "history", *TOOLS)),
    _uses,
    _doubt,
)
