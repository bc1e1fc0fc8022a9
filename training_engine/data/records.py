"""Reads the canonical records of a data set version, and says exactly which line is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from training_engine.contract.names import FailureCode
from training_engine.contract.records import Message, Record
from training_engine.failures import EngineFailure

SHOWN_LINES = 10
AGAIN = "Import the data set again, or correct these rows and upload it as a new version."


class Row(NamedTuple):
    """A conversation to learn from; `line` is the line of the user's own file."""

    line: int
    messages: list[Message]
    tools: list[dict[str, object]] | None


def listed(lines: list[int]) -> str:
    """`3, 17 and 4 more`: line numbers for a sentence."""
    shown = ", ".join(str(line) for line in lines[:SHOWN_LINES])
    more = len(lines) - SHOWN_LINES
    return f"{shown} and {more} more" if more > 0 else shown


def read_rows(path: Path) -> Iterator[Row]:
    """Every record that is a conversation; raises `EngineFailure` for one that is not."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise EngineFailure(
            FailureCode.BAD_DATASET,
            f"The data set file {path.name} can not be read: {error.strerror}.",
            "Check that the data set still exists, then restart.",
        ) from error
    with file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = Record.model_validate_json(line)
            except ValidationError as error:
                problem = error.errors()[0]
                place = ".".join(str(part) for part in problem["loc"]) or "the line"
                raise EngineFailure(
                    FailureCode.BAD_DATASET,
                    f"Record {number} is not in the canonical form at {place}: {problem['msg']}.",
                    AGAIN,
                    {"lines": str(number)},
                ) from error
            yield _conversation(record, number)


def _conversation(record: Record, number: int) -> Row:
    source = record.meta.get("line")
    line = source if isinstance(source, int) and not isinstance(source, bool) else number
    if not record.messages or not any(m.role == "assistant" for m in record.messages):
        raise EngineFailure(
            FailureCode.BAD_DATASET,
            f"Row {line} holds no answer of an assistant, so there is nothing to learn from it.",
            "Choose a data set of conversations or of instructions with answers.",
            {"lines": str(line)},
        )
    return Row(line, record.messages, record.tools)
