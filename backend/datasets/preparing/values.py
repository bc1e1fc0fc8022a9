"""What a field of a condition is in a row: none, one or several values."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson

Scalar = str | int | float | bool
Record = dict[str, Any]
EXTRA = "extra."


def texts(record: Record) -> Iterator[str]:
    """All texts of a record, turn by turn."""
    for name in ("messages", "chosen", "rejected"):
        for message in record.get(name) or ():
            yield message["content"]
    if record.get("text") is not None:
        yield record["text"]


def said_by(record: Record, role: str, *names: str) -> Iterator[str]:
    """What this role says in these lists of turns."""
    for name in names:
        for message in record.get(name) or ():
            if message["role"] == role:
                yield message["content"]


def _label(record: Record) -> list[Any]:
    label = record.get("label")
    return label if isinstance(label, list) else [label]


def _num_turns(record: Record) -> int:
    return len(record.get("messages") or ()) + len(record.get("chosen") or ())


_OF_RECORD: dict[str, Callable[[Record], list[Any]]] = {
    "text": lambda record: list(texts(record)),
    "prompt": lambda record: list(said_by(record, "user", "messages")),
    "answer": lambda record: list(said_by(record, "assistant", "messages", "chosen")),
    "system": lambda record: list(said_by(record, "system", "messages")),
    "label": _label,
    "turns": lambda record: [_num_turns(record)],
    "characters": lambda record: [sum(map(len, texts(record)))],
}


def of_record(field: str) -> Callable[[Record], list[Any]] | None:
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
