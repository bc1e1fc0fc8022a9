"""What a field of a condition is in a row: none, one or several values."""

from collections.abc import Callable
from typing import Any

import orjson
from msgspec import UNSET

from backend.datasets.preparing.told import Told

Scalar = str | int | float | bool
Record = dict[str, Any]
EXTRA = "extra."


def texts(record: Told) -> list[str]:
    """All texts of a record, turn by turn."""
    lists = (record.messages, record.chosen, record.rejected)
    found = [turn.content for turns in lists if turns for turn in turns]
    if isinstance(record.text, str):
        found.append(record.text)
    return found


def _said_by(record: Told, role: str, *, chosen: bool = False) -> list[str]:
    """What this role says, of a preference in the chosen answer, too."""
    found = [turn.content for turn in record.messages or () if turn.role == role]
    if chosen and record.chosen:
        found += [turn.content for turn in record.chosen if turn.role == role]
    return found


def _labels(record: Told) -> list[Any]:
    label = record.label
    several = label if isinstance(label, list) else [label]
    return [each for each in several if each is not None and each is not UNSET]


def _num_turns(record: Told) -> int:
    return len(record.messages or ()) + len(record.chosen or ())


# Those whose values are texts, and then the others.
_TEXTS: dict[str, Callable[[Told], list[str]]] = {
    "text": texts,
    "prompt": lambda record: _said_by(record, "user"),
    "answer": lambda record: _said_by(record, "assistant", chosen=True),
    "system": lambda record: _said_by(record, "system"),
}
_OF_RECORD: dict[str, Callable[[Told], list[Any]]] = {
    **_TEXTS,
    "label": _labels,
    "turns": lambda record: [_num_turns(record)],
    "characters": lambda record: [sum(map(len, texts(record)))],
}
TEXTS = frozenset(_TEXTS)


def of_record(field: str) -> Callable[[Told], list[Any]] | None:
    """How to find the values of a field in a record; None for a field beside it."""
    return _OF_RECORD.get(field)


def of_extra(extra: Record, column: str) -> list[Scalar]:
    """The values of a column beside the record; what is neither one nor a list as its JSON."""
    value = extra.get(column)
    items = value if isinstance(value, list) else [value]
    return [
        each if isinstance(each, str | int | float) else orjson.dumps(each).decode()
        for each in items
        if each is not None
    ]


def text_of(value: Scalar) -> str:
    """A value as text: a label of 1 is “1”, true is “true”."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def same(one: Scalar, other: Scalar) -> bool:
    """Whether two values are the same: numbers as numbers, all else as texts."""
    if _is_number(one) and _is_number(other):
        return one == other
    return text_of(one) == text_of(other)


def among(wanted: list[Scalar]) -> Callable[[Scalar], bool]:
    """Whether a value is the same as one of those, however many there are."""
    numbers = {each for each in wanted if _is_number(each)}
    words = {text_of(each) for each in wanted if not _is_number(each)}
    every = {text_of(each) for each in wanted}

    def test(value: Scalar) -> bool:
        if _is_number(value):
            return value in numbers or text_of(value) in words
        return text_of(value) in every

    return test


def number_of(value: Scalar) -> float | None:
    """A number, also one that is written as text; None for anything else."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
