"""What a classifier's labels are: one class for each text, several, or a number."""

import math
import re
from collections.abc import Iterable

from training_engine.contract.choices import LabelKind
from training_engine.contract.names import FailureCode
from training_engine.data.records import RawLabel, Row, listed
from training_engine.data.samples import Label, Misfit
from training_engine.failures import EngineFailure

MOST_CLASSES = 10_000
SEVERAL = {LabelKind.SINGLE: "one class", LabelKind.REGRESSION: "one number"}
# A number as tables write it: Python takes `1_0`, `nan` and `infinity` for some too.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class Labels:
    """Kind and names of the labels of a data set."""

    def __init__(self, kind: LabelKind, names: list[str]) -> None:
        self.kind = kind
        self.names = names

    @property
    def count(self) -> int:
        """How many numbers the model gives for a text."""
        return 1 if self.kind is LabelKind.REGRESSION else len(self.names)

    @classmethod
    def read(cls, rows: Iterable[Row], wish: LabelKind) -> "Labels":
        """The labels of all rows; `auto` takes lists for several, fractions for numbers.

        Fractions may be text, as the cells of a CSV file are, where every label is a number.
        Raises `EngineFailure` when there is only one class, or too many to be classes.
        """
        found: dict[str, int] = {}
        several, fractions, written, words = False, False, False, False
        for row in rows:
            label = row.label
            several |= isinstance(label, list)
            fraction = _has_fraction(label)
            fractions |= fraction is True and isinstance(label, float)
            written |= fraction is True
            words |= fraction is None and label not in (None, "")
            for name in _names(label):
                found.setdefault(name, row.line)
        kind = wish
        if wish is LabelKind.AUTO:
            kind = LabelKind.MULTI if several else LabelKind.SINGLE
            numbers = fractions or (written and not words)
            kind = LabelKind.REGRESSION if numbers and not several else kind
        if kind is LabelKind.REGRESSION:
            return cls(kind, ["score"])
        _check(found)
        return cls(kind, sorted(found, key=_order))

    def number(self, label: RawLabel) -> Label:
        """A class index, 0 or 1 for each class, or the number; raises `Misfit`."""
        if label is None or label == "":
            raise Misfit("label", "there is no label")
        if self.kind is LabelKind.MULTI:
            given = set(_names(label))
            return [float(name in given) for name in self.names]
        if isinstance(label, list):
            raise Misfit("label", f"there are several, and {SEVERAL[self.kind]} is wanted")
        if self.kind is LabelKind.SINGLE:
            return self.names.index(_names(label)[0])
        try:
            value = float(label)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise Misfit("label", f"“{label}” is not a number")
        return value


def _has_fraction(label: RawLabel) -> bool | None:
    """Whether a label is a number that is not whole; None where it is no number."""
    if label is None or isinstance(label, bool | list):
        return None
    if isinstance(label, str):
        return not float(label).is_integer() if NUMBER.fullmatch(label.strip()) else None
    return isinstance(label, float) and not label.is_integer()


def _names(label: RawLabel) -> list[str]:
    """The classes of a row, as text; 1.0 and 1 are one class."""
    if label is None or label == "":
        return []
    each = label if isinstance(label, list) else [label]
    return [str(int(x)) if isinstance(x, float) and x.is_integer() else str(x) for x in each]


def _order(name: str) -> tuple[bool, float, str]:
    """Numbers by size, before words in alphabetical order."""
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name


def _check(found: dict[str, int]) -> None:
    if len(found) >= 2 and len(found) <= MOST_CLASSES:
        return
    lines = sorted(found.values())
    shown = f" (line {listed(lines)})" if lines else ""
    raise EngineFailure(
        FailureCode.BAD_DATASET,
        f"A classifier needs at least two classes and at most {MOST_CLASSES:,}; the rows have "
        f"{len(found):,}{shown}.",
        "Check the label column; for numbers choose label_kind regression.",
        {"field": "label", "classes": len(found)},
    )
