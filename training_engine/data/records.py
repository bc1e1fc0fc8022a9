"""Reads the canonical records of a data set version, and says exactly which line is wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from training_engine.contract.names import FailureCode
from training_engine.contract.records import Message, Record
from training_engine.data.parquet_lines import is_parquet, parquet_lines, parquet_rows
from training_engine.failures import EngineFailure

SHOWN_LINES = 10
RawLabel = str | int | float | bool | list[str] | list[float] | None
AGAIN = "Import the data set again, or correct these rows and upload it as a new version."


class Row(NamedTuple):
    """A record to learn from; `line` is the line of the user's own file."""

    line: int
    messages: list[Message]
    tools: list[dict[str, object]] | None = None
    chosen: list[Message] | None = None
    rejected: list[Message] | None = None
    text: str | None = None
    label: RawLabel = None
    # Another row's answer, where an objective compares with it.
    other_answer: list[Message] | None = None


def listed(lines: list[int]) -> str:
    """`3, 17 and 4 more`: line numbers for a sentence."""
    shown = ", ".join(str(line) for line in lines[:SHOWN_LINES])
    more = len(lines) - SHOWN_LINES
    return f"{shown} and {more} more" if more > 0 else shown


def read_rows(
    path: Path,
    expected_sha256: str | None = None,
    split: str | None = None,
    only: Callable[[int], bool] | None = None,
) -> Iterator[Row]:
    """Every record (of a split), or `only` those of some indices; raises `EngineFailure` for what
    is none.

    With the last one it raises when the file is not the expected one, of which a run was made.
    """
    digest = sha256()
    for number, line in enumerate(_lines(path, split), 1):
        if expected_sha256 is not None:
            digest.update(line)
        if not line.strip() or (only is not None and not only(number - 1)):
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
        yield row_of(record, number)
    if expected_sha256 not in (None, digest.hexdigest()):
        raise EngineFailure(
            FailureCode.BAD_DATASET,
            f"The data set file {path.name} has changed since this run was created: its rows are "
            "not those that were to be learnt.",
            "Bring the file back as it was, or create the run anew with the data as it is now.",
            {"sha256": digest.hexdigest()},
        )


def count_rows(path: Path, split: str | None = None) -> int:
    """Records that are there (in a split); raises `EngineFailure`."""
    with _readable(path):
        if is_parquet(path):
            return parquet_rows(path, split)
        return sum(1 for line in _lines(path, split) if line.strip())


def _lines(path: Path, split: str | None) -> Iterator[bytes]:
    """The records as JSON lines, from JSON lines or Parquet."""
    with _readable(path):
        if is_parquet(path):
            yield from parquet_lines(path, split)
            return
        if split is not None:
            raise EngineFailure(
                FailureCode.BAD_DATASET,
                f"The data set file {path.name} is not divided: it has no split “{split}”.",
                "Leave the split out, or name a version that has it.",
            )
        with path.open("rb") as file:
            yield from file


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineFailure(
            FailureCode.BAD_DATASET,
            f"The data set file {path.name} can not be read: {error.strerror}.",
            "Check that the data set still exists, then restart.",
        ) from error


def row_of(record: Record, number: int) -> Row:
    """The row of a record that is the `number`-th of its file."""
    source = record.meta.get("line")
    line = source if isinstance(source, int) and not isinstance(source, bool) else number
    return Row(
        line,
        record.messages or [],
        record.tools,
        record.chosen,
        record.rejected,
        record.text,
        record.label,
    )
