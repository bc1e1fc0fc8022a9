"""What a classifier's labels are: one class for each text, several, or a number."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

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
        Raises `EngineFailure` when there is only one class, or too many to be classes, or when
        lists have no names in them but a mark for each class.
        """
        labels, found, lists = cls._of(rows, wish)
        if labels.kind is LabelKind.REGRESSION:
            return labels
        if labels.kind is LabelKind.MULTI:
            lists.refuse_marks()
        # Rows with fractions in lists are refused one by one, for what they are.
        _check(found, at_least=0 if lists.fractions else 2)
        return labels

    @classmethod
    def seen(cls, rows: Iterable[Row], wish: LabelKind) -> "Labels":
        """The labels of some rows, which need not hold all classes."""
        return cls._of(rows, wish)[0]

    @classmethod
    def _of(cls, rows: Iterable[Row], wish: LabelKind) -> tuple["Labels", dict[str, int], "_Lists"]:
        """The labels, the first line of each class, and what labels that are lists look like."""
        found: dict[str, int] = {}
        lists = _Lists()
        fractions, written, words = False, False, False
        for row in rows:
            label = row.label
            fraction = _has_fraction(label)
            fractions |= fraction is True and isinstance(label, float)
            written |= fraction is True
            words |= fraction is None and label not in (None, "", [])
            names = lists.add(label, row.line) if isinstance(label, list) else names_of(label)
            for name in names:
                found.setdefault(name, row.line)
        kind = wish
        if wish is LabelKind.AUTO:
            numbers = fractions or (written and not words)
            kind = LabelKind.REGRESSION if numbers else LabelKind.SINGLE
            kind = LabelKind.MULTI if lists.lengths else kind
        if kind is LabelKind.REGRESSION:
            return cls(kind, ["score"]), found, lists
        return cls(kind, sorted(found, key=_order)), found, lists

    def number(self, label: RawLabel) -> Label:
        """A class index, 0 or 1 for each class, or the number; raises `Misfit`."""
        if label is None or label == "" or (label == [] and self.kind is not LabelKind.MULTI):
            raise Misfit("label", "there is no label")
        if self.kind is LabelKind.MULTI:
            if isinstance(label, list) and _several_numbers(label):
                raise Misfit(
                    "label",
                    "several numbers for one text are not supported: give one number for each "
                    "text, or a list with the names of its classes",
                )
            given = set(names_of(label))
            return [float(name in given) for name in self.names]
        if isinstance(label, list):
            raise Misfit("label", f"there are several, and {SEVERAL[self.kind]} is wanted")
        if self.kind is LabelKind.SINGLE:
            return self.names.index(names_of(label)[0])
        try:
            value = float(label)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise Misfit("label", f"“{label}” is not a number")
        return value


@dataclass
class _Lists:
    """What the labels that are lists have in common; empty ones, of texts without a class, aside.

    `marks`: they hold nothing but 0 and 1. `fractions`: there is a number that is no class.
    """

    lengths: set[int] = field(default_factory=set)
    lines: list[int] = field(default_factory=list)
    marks: bool = True
    fractions: bool = False

    def add(self, label: list[str] | list[float], line: int) -> list[str]:
        """One more, of this line; returns the classes it names."""
        if not label:
            return []
        self.lengths.add(len(label))
        if _several_numbers(label):
            self.marks, self.fractions = False, True
            return []
        names = names_of(label)
        self.marks &= set(names) <= {"0", "1"}
        if self.marks:
            self.lines.append(line)
        return names

    def refuse_marks(self) -> None:
        """Raise `EngineFailure` when each list says yes or no to every class, without their names.

        Read as classes, 0 and 1 would be the only two.
        """
        if not self.marks or len(self.lengths) != 1 or self.lengths == {1}:
            return
        raise EngineFailure(
            FailureCode.BAD_DATASET,
            f"The labels are lists of {min(self.lengths)} zeros and ones, one for each "
            f"class, and the classes have no names (line {listed(self.lines)}).",
            'Write the names of the classes of each text instead: ["sport", "travel"] in place of '
            "[1, 0, 1], and [] where none fits. Then upload the data set as a new version.",
            {"field": "label", "lines": listed(self.lines), "count": len(self.lines)},
        )


def _several_numbers(label: list[str] | list[float]) -> bool:
    """Whether a list has numbers that are not whole, which can be no classes."""
    return any(isinstance(each, float) and not each.is_integer() for each in label)


def _has_fraction(label: RawLabel) -> bool | None:
    """Whether a label is a number that is not whole; None where it is no number."""
    if label is None or isinstance(label, bool | list):
        return None
    if isinstance(label, str):
        return not float(label).is_integer() if NUMBER.fullmatch(label.strip()) else None
    return isinstance(label, float) and not label.is_integer()


def names_of(label: RawLabel) -> list[str]:
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


def _check(found: dict[str, int], *, at_least: int) -> None:
    if at_least <= len(found) <= MOST_CLASSES:
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
