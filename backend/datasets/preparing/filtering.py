"""The steps that leave rows out and change none: `filter` and `exclude`."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import orjson

from backend.datasets.prepare_schemas import Condition, ExcludeStep, FilterStep
from backend.datasets.preparing import expressions, values
from backend.datasets.preparing.stream import Batch, Stream
from backend.datasets.preparing.work import Work

Values = list[list[Any]]
# The room that examines versions; it may not be loaded for anything else.
FINDINGS = "backend.datasets.hygiene.findings"


def filtered(rows: Stream, step: FilterStep, _work: Work) -> Iterator[Batch]:
    """The rows for which the conditions hold, or the others."""
    for batch in rows:
        look = _Look(batch)
        held = np.array([holds(condition, look) for condition in step.conditions])
        found = held.all(axis=0) if step.match == "all" else held.any(axis=0)
        yield batch.take(np.flatnonzero(found == step.keep).tolist())


def excluded(rows: Stream, step: ExcludeStep, work: Work) -> Iterator[Batch]:
    """All rows but those of the version that are named or have a finding."""
    out = np.array(step.rows, np.int64)
    if step.findings:
        rows_of: Callable[..., Any] = import_module(FINDINGS).rows_of
        out = np.concatenate([out, rows_of(work.base, step.findings).astype(np.int64)])
    out = np.unique(out)
    for batch in rows:
        gone = np.isin(np.array(batch.origins, np.int64), out)
        yield batch.take(np.flatnonzero(~gone).tolist())


class _Look:
    """The rows of a batch; what is beside records is decoded when a condition asks for it."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._extras: list[Any] | None = None

    def values(self, field: str) -> Values:
        """The values of a field, row by row, without those that are missing."""
        batch = self._batch
        if field in ("line", "split"):
            beside: list[Any] = batch.lines if field == "line" else batch.splits
            return [[value] if value is not None else [] for value in beside]
        find = values.of_record(field)
        if find is not None:
            return [find(record) for record in batch.told()]
        if self._extras is None:
            self._extras = [orjson.loads(extra) if extra else {} for extra in batch.extras]
        column = field.removeprefix(values.EXTRA)
        return [values.of_extra(extra, column) for extra in self._extras]


def holds(condition: Condition, look: _Look) -> list[bool]:
    """Whether the condition holds for each row."""
    found = look.values(condition.field)
    if condition.op == "matches":
        return _matches(condition, found)
    opposite = condition.op in ("missing", "not_contains", "not_equals")
    if condition.op in ("contains", "not_contains") and condition.field in values.TEXTS:
        return _contain(condition, found)
    test = _test(condition)
    return [any(map(test, row)) != opposite for row in found]


def _contain(condition: Condition, found: list[list[str]]) -> list[bool]:
    """The commonest of all conditions, without a call for each text."""
    needle, opposite = str(condition.value), condition.op == "not_contains"
    if condition.ignore_case:
        needle = needle.casefold()
        return [any(needle in text.casefold() for text in row) != opposite for row in found]
    return [any(needle in text for text in row) != opposite for row in found]


def _matches(condition: Condition, found: Values) -> list[bool]:
    """All values of the batch at once."""
    every = [values.text_of(value) for row in found for value in row]
    hits = iter(
        expressions.found_in(every, str(condition.value), ignore_case=condition.ignore_case)
    )
    by_row = [[next(hits) for _ in row] for row in found]
    return [any(row) for row in by_row]


def _test(condition: Condition) -> Callable[[Any], bool]:
    """The test of one value; what `op` says the opposite of, where it is one of those."""
    wanted: Any = condition.value
    match condition.op:
        case "missing" | "present":
            return lambda value: bool(values.text_of(value).strip())
        case "contains" | "not_contains" if condition.ignore_case:
            needle = str(wanted).casefold()
            return lambda value: needle in values.text_of(value).casefold()
        case "contains" | "not_contains":
            return lambda value: wanted in values.text_of(value)
        case "one_of":
            return values.among(wanted)
        case "at_least" | "at_most":
            return _compared(wanted, least=condition.op == "at_least")
        case _:
            return lambda value: values.same(value, wanted)


def _compared(wanted: str | float, *, least: bool) -> Callable[[Any], bool]:
    """Numbers with a number, texts with a text."""

    def test(value: Any) -> bool:
        if isinstance(wanted, str):
            if not isinstance(value, str):
                return False
            return value >= wanted if least else value <= wanted
        number = values.number_of(value)
        if number is None or number != number:
            return False
        return number >= wanted if least else number <= wanted

    return test
