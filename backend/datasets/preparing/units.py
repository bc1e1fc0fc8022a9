"""What a split must know of each row: what it stays together with, its class, group or time."""

from array import array
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from backend.datasets.prepare_schemas import SplitStep
from backend.datasets.preparing import chance, values
from backend.datasets.preparing.spool import Array
from backend.datasets.preparing.stream import ELSEWHERE, Batch, Kept, NotPossible

MAX_CLASSES = 10_000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Marks:
    """`unit` numbers the rows that stay together from 0; `value` is the class (a number from 0) or
    the time of each row."""

    unit: Array
    value: Array


def marks_of(rows: Kept, step: SplitStep, facts: dict[str, Any]) -> Marks:
    """One look at all rows; memory holds a few numbers of each. Raises `NotPossible`."""
    content, groups = array("Q"), array("Q")
    times = array("d")
    classes = _Classes()
    missing = 0
    for batch in rows:
        content.extend(map(chance.digest, batch.records))
        if step.by == "stratified":
            classes.add(_values(batch, step.field or ""), step.field or "")
        elif step.by == "time":
            times.extend(_times(batch, step.field or ""))
        elif step.by == "group":
            for value in _values(batch, step.field or ""):
                missing += value is None
                # A row without a group is one of its own.
                own = f"\0{len(groups)}".encode() if value is None else orjson.dumps(value)
                groups.append(chance.digest(own))
    if step.by == "group":
        facts["rows_without_group"] = missing
        if groups and missing == len(groups):
            _refuse_unknown(step.field or "")
    if step.by == "stratified":
        facts.update(classes.facts())
    unit = _together(content, groups, step)
    value = np.array(times if step.by == "time" else classes.numbers)
    return Marks(unit, value)


def _together(content: "array[int]", groups: "array[int]", step: SplitStep) -> Array:
    """Numbers of the units: of rows that say the same, of a group, of groups that share a row."""
    number = len(content)
    found: list[Array] = []
    if step.keep_duplicates_together:
        found.append(np.unique(np.array(content, np.uint64), return_inverse=True)[1])
    if step.by == "group":
        found.append(np.unique(np.array(groups, np.uint64), return_inverse=True)[1])
    if not found:
        return np.arange(number)
    if len(found) == 1:
        return found[0]
    return _connected(*found)


def _connected(one: Array, other: Array) -> Array:
    """Rows that are equal in one of the two, or by way of others: each gets the least number that
    any of its own has, again and again until nothing changes."""
    label = np.arange(len(one))
    while True:
        before = label
        for codes in (one, other):
            least = np.full(int(codes.max(initial=0)) + 1, len(label))
            np.minimum.at(least, codes, label)
            label = least[codes]
        label = label[label]  # what its own one has found already
        if np.array_equal(label, before):
            return np.unique(label, return_inverse=True)[1]


class _Classes:
    """Classes by number, in the order in which they come."""

    def __init__(self) -> None:
        self.numbers = array("q")
        self._known: dict[bytes, int] = {}
        self._counts: list[int] = []

    def add(self, found: list[Any], field: str) -> None:
        """Count the classes of some rows; raises `NotPossible` for too many of them."""
        for value in found:
            name = orjson.dumps(value)
            number = self._known.setdefault(name, len(self._known))
            if number == len(self._counts):
                self._counts.append(0)
                if number >= MAX_CLASSES:
                    raise NotPossible(
                        "too_many_classes",
                        f"“{field}” has more than {MAX_CLASSES} different values.",
                        "Choose a field with fewer classes, or divide by group or at random.",
                        field=field,
                        most=MAX_CLASSES,
                    )
            self._counts[number] += 1
            self.numbers.append(number)

    def facts(self) -> dict[str, Any]:
        """How many classes there are, and those that can not be divided."""
        alone = [n for n, c in zip(self._known, self._counts, strict=True) if c == 1]
        return {
            "classes": len(self._known),
            "classes_with_one_row": len(alone),
            "classes_with_one_row_named": [_named(name) for name in alone[:SHOWN]],
        }


def _named(name: bytes) -> str:
    value = orjson.loads(name)
    return value[:100] if isinstance(value, str) else name.decode()[:100]


def _values(batch: Batch, field: str) -> list[Any]:
    """The value of `label` or of a column beside the record; None where there is none."""
    if field == "label":
        return [orjson.loads(record).get("label") for record in batch.records]
    column = field.removeprefix(values.EXTRA)
    return [orjson.loads(extra).get(column) if extra else None for extra in batch.extras]


def _times(batch: Batch, field: str) -> list[float]:
    """Seconds since 1970 of dates, or the numbers as they are. Raises `NotPossible`."""
    found = []
    for place, value in enumerate(_values(batch, field)):
        time = _time(value)
        if time is None:
            raise _no_time(field, value, batch.origins[place])
        found.append(time)
    return found


def _no_time(field: str, value: Any, origin: int) -> NotPossible:
    """What stands there instead, and where: a row of another data set has no number here."""
    excerpt = _named(orjson.dumps(value))
    said = f"“{field}” is neither a number nor an ISO date: {excerpt}"
    hint = "Leave such rows out with a step “filter” before, or choose another column."
    found = {"field": field, "value": excerpt}
    if origin == ELSEWHERE:
        return NotPossible("no_time_added", f"{said} (in a row that was added).", hint, **found)
    return NotPossible("no_time", f"{said} (row {origin + 1}).", hint, **found, row=origin + 1)


def _time(value: Any) -> float | None:
    if not isinstance(value, str | int | float):
        return None
    number = values.number_of(value)
    if number is not None:
        return number if abs(number) < 2**63 else None  # not NaN and not infinity either
    try:
        date = datetime.fromisoformat(str(value).strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _refuse_unknown(field: str) -> None:
    raise NotPossible(
        "no_such_field",
        f"No row has “{field}”.",
        "Choose a column that is beside the records.",
        field=field,
    )
