"""Arrow columns as the values that JSON has, saying what could not be kept as it was.

Texts, numbers, true and false, lists and objects are what they are; dates and times become ISO
8601; decimals become numbers where that loses nothing, else texts. In an object a part that is
null is left out: Arrow can not tell it from one that the row never had.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.types as kinds

from backend.datasets.rows import MAX_DEPTH, Repair, RowError, UnreadableFile

# Takes a value and notes what it changes.
Change = Callable[[Any, "_Notes"], Any]


@dataclass(slots=True)
class Odd:
    """A value with what had to be changed in it, or why there is none."""

    value: Any
    repairs: list[Repair] = field(default_factory=list)
    error: RowError | None = None


class _Notes:
    """What was found in one value of the column `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.repairs: list[Repair] = []
        self.error: RowError | None = None

    def repair(self, rule: str, message: str) -> None:
        self.repairs.append(Repair(rule, self.name, message))


def require_readable(column: pa.Field) -> None:
    """Raise `UnreadableFile` for a column of a type that has no meaning in JSON."""
    wrong = _unreadable(column.type, 0)
    if wrong is not None:
        raise _refused(column.name, wrong)


def _refused(name: str, kind: pa.DataType) -> UnreadableFile:
    return UnreadableFile(
        "parquet_not_supported",
        f"The column “{name}” has the type {str(kind)[:80]}, which can not be read.",
        "Leave the column out, or write it as text, and upload the file again.",
        params={"column": name},
    )


def _unreadable(kind: pa.DataType, depth: int) -> pa.DataType | None:
    strange = (kinds.is_union, kinds.is_run_end_encoded, kinds.is_interval)
    views = (kinds.is_list_view, kinds.is_large_list_view)
    if depth > MAX_DEPTH or any(is_one(kind) for is_one in (*strange, *views)):
        return kind
    if isinstance(kind, pa.BaseExtensionType):
        return _unreadable(kind.storage_type, depth + 1)
    if kinds.is_dictionary(kind):
        return _unreadable(kind.value_type, depth + 1)
    inner = [kind.field(n) for n in range(kind.num_fields)]
    if kinds.is_struct(kind) and len({each.name for each in inner}) != len(inner):
        return kind
    return next((wrong for each in inner if (wrong := _unreadable(each.type, depth + 1))), None)


def values_of(column: pa.Array, name: str) -> list[Any]:
    """The values of a column by row; those that are not as they were are `Odd`."""
    values: list[Any]
    try:
        try:
            values = column.cast(_target(column.type)).to_pylist()
        except UnicodeDecodeError:  # the file says that it is text, and it is not
            values = column.cast(_target(column.type, text=pa.large_binary())).to_pylist()
    except MemoryError:
        raise
    except (pa.ArrowException, ValueError):
        raise _refused(name, column.type) from None
    change = _change(column.type)
    if kinds.is_floating(column.type) and all(map(math.isfinite, _there(values))):
        return values
    return values if change is None else [_changed(value, change, name) for value in values]


def _there(values: Sequence[Any]) -> Sequence[Any]:
    return [value for value in values if value is not None]


def _target(kind: pa.DataType, text: pa.DataType | None = None) -> pa.DataType:
    """The type to read a column as: what Python can not hold exactly becomes text.

    Texts become `text`, when that is given.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return _target(kind.storage_type, text)
    if kinds.is_dictionary(kind):
        return _target(kind.value_type, text)
    if kinds.is_duration(kind):
        return pa.int64()
    if kinds.is_null(kind):  # pyarrow gives its column in a list of objects the wrong length
        return pa.bool_()
    if kinds.is_temporal(kind):
        return pa.string()
    if _is_text(kind):
        return text or kind
    if kinds.is_struct(kind):
        fields = [kind.field(n) for n in range(kind.num_fields)]
        return pa.struct([each.with_type(_target(each.type, text)) for each in fields])
    if kinds.is_map(kind):
        return pa.map_(_target(kind.key_type, text), _target(kind.item_type, text))
    if kinds.is_fixed_size_list(kind):
        return pa.list_(_target(kind.value_type, text), kind.list_size)
    if kinds.is_large_list(kind):
        return pa.large_list(_target(kind.value_type, text))
    if kinds.is_list(kind):
        return pa.list_(_target(kind.value_type, text))
    return kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def _changed(value: Any, change: Change, name: str) -> Any:
    notes = _Notes(name)
    plain = None if value is None else change(value, notes)
    if notes.repairs or notes.error:
        return Odd(plain, notes.repairs, notes.error)
    return plain


def _change(kind: pa.DataType) -> Change | None:
    """How values of this type become plain ones; None when they are."""
    if isinstance(kind, pa.BaseExtensionType):
        return _uuid if kind.extension_name == "arrow.uuid" else _change(kind.storage_type)
    if kinds.is_dictionary(kind):
        return _change(kind.value_type)
    if kinds.is_struct(kind):
        fields = [kind.field(n) for n in range(kind.num_fields)]
        return partial(_object, {each.name: _change(each.type) or _same for each in fields})
    if kinds.is_map(kind):
        return partial(_map, _change(kind.key_type) or _same, _change(kind.item_type) or _same)
    if kinds.is_nested(kind):
        inner = _change(kind.value_type)
        return partial(_list, inner) if inner is not None else None
    if kinds.is_duration(kind):
        return partial(_seconds, {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit])
    return next((change for is_one, change in _LEAVES if is_one(kind)), None)


def _same(value: Any, _notes: _Notes) -> Any:
    return value


def _object(changes: dict[str, Change], value: dict[str, Any], notes: _Notes) -> dict[str, Any]:
    return {k: changes[k](part, notes) for k, part in value.items() if part is not None}


def _list(change: Change, value: list[Any], notes: _Notes) -> list[Any]:
    return [None if part is None else change(part, notes) for part in value]


def _map(key: Change, item: Change, value: list[tuple[Any, Any]], notes: _Notes) -> Any:
    pairs = [(key(k, notes), None if v is None else item(v, notes)) for k, v in value]
    made = {str(k): v for k, v in pairs}
    if len(made) != len(pairs):
        notes.error = notes.error or RowError(
            "duplicate_key", notes.name, f"A key stands twice in “{notes.name}”."
        )
    return made


def _text(value: str | bytes, notes: _Notes) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        message = f"“{notes.name}” has bytes that are not text."
        notes.error = notes.error or RowError("invalid_encoding", notes.name, message)
        return value.decode("utf-8", "backslashreplace")


def _bytes(value: bytes, notes: _Notes) -> str | None:
    """Older programs write text without saying that it is text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        size = len(value)
        notes.repair(
            "binary_left_out", f"“{notes.name}” holds {size} bytes that are no text; left out."
        )
        return None


def _uuid(value: bytes, _notes: _Notes) -> str:
    return str(UUID(bytes=value))


def _number(value: float, notes: _Notes) -> float | None:
    if math.isfinite(value):
        return value
    notes.repair("no_number_left_out", f"“{notes.name}” is {value}, no number; left empty.")
    return None


def _decimal(value: Decimal, _notes: _Notes) -> int | float | str:
    number = float(value)
    return number if math.isfinite(number) and Decimal(repr(number)) == value else str(value)


def _time(value: str, _notes: _Notes) -> str:
    """`2024-01-31 12:00:00.000000` as `2024-01-31T12:00:00`."""
    whole, dot, rest = value.replace(" ", "T", 1).partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    kept = digits.rstrip("0")
    return f"{whole}{dot if kept else ''}{kept}{rest[len(digits) :]}"


def _seconds(per_second: int, value: int, _notes: _Notes) -> int | float:
    whole, rest = divmod(value, per_second)
    return whole if not rest else value / per_second


_LEAVES: tuple[tuple[Callable[[pa.DataType], bool], Change], ...] = (
    (_is_text, _text),
    (kinds.is_binary, _bytes),
    (kinds.is_large_binary, _bytes),
    (kinds.is_binary_view, _bytes),
    (kinds.is_fixed_size_binary, _bytes),
    (kinds.is_decimal, _decimal),
    (kinds.is_floating, _number),
    (kinds.is_temporal, _time),
)
