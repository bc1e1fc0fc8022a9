"""Labels of a classification set: how often each is given, and where the same text has two."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

Array = np.ndarray[Any, Any]

# Numbers of more values than this are measured, not chosen from a list.
MAX_CLASSES_OF_NUMBERS = 100
# More than this are no labels; they are not counted on.
MAX_LABELS = 100_000


def name_of(label: Any) -> str:
    """A label as it is shown."""
    return label if isinstance(label, str) else orjson.dumps(label).decode()


def each_of(label: Any) -> list[str]:
    """The labels that one row has; fractions are measured, not chosen, and are none."""
    single = label if isinstance(label, list) else [label]
    return [name_of(one) for one in single if one is not None and not isinstance(one, float)]


@dataclass(slots=True)
class Labels:
    """Rows per label and the first row with it; `numbers` when one of them is a number."""

    rows: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    numbers: bool = False
    too_many: bool = False

    def add(self, label: Any, row: int) -> None:
        """Count the label of a row."""
        self.numbers |= isinstance(label, int) and not isinstance(label, bool)
        for name in dict.fromkeys(each_of(label)):
            self.rows[name] = self.rows.get(name, 0) + 1
            self.first.setdefault(name, row)

    def merge(self, later: "Labels") -> None:
        """Add what is known of later rows."""
        self.numbers |= later.numbers
        self.too_many |= len(self.rows) > MAX_LABELS
        if self.too_many:
            return
        for name, count in later.rows.items():
            self.rows[name] = self.rows.get(name, 0) + count
            self.first.setdefault(name, later.first[name])

    def with_one_row(self) -> Iterator[tuple[int, str]]:
        """`(row, label)` of labels that no other row has."""
        measured = self.numbers and len(self.rows) > MAX_CLASSES_OF_NUMBERS
        if measured or self.too_many:
            return
        for name, count in self.rows.items():
            if count == 1:
                yield self.first[name], name


def conflicts(texts: Array, labels: Array) -> tuple[Array, Array]:
    """`(rows, others)`: rows whose text another row has with another label, and one such row.

    Both arrays are hashes, 0 for rows without.
    """
    usable = np.flatnonzero((texts != 0) & (labels != 0))
    order = usable[np.lexsort((usable, texts[usable]))]
    text, label = texts[order], labels[order]
    if not len(order):
        return order, order
    new = np.ones(len(order), bool)
    new[1:] = text[1:] != text[:-1]
    starts = np.flatnonzero(new)
    lowest, highest = np.minimum.reduceat(label, starts), np.maximum.reduceat(label, starts)
    which = np.cumsum(new) - 1
    differ = (lowest != highest)[which]
    rows = order[differ]
    # The first row of the group with another label; for the first one's own label: the last such.
    other = _other(order, label, starts, which)[differ]
    by_row = np.argsort(rows)
    return rows[by_row], other[by_row]


def _other(order: Array, label: Array, starts: Array, which: Array) -> Array:
    """For each place one row of its group with another label (itself where there is none)."""
    found = order.copy()
    leader = starts[which]
    differs = label != label[leader]
    found[differs] = order[leader[differs]]
    # For those that agree with the first: any that does not.
    some = np.full(len(starts), -1)
    some[which[differs]] = order[differs]
    agree = ~differs & (some[which] >= 0)
    found[agree] = some[which[agree]]
    return found
