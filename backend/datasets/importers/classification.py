"""Texts with a label: `{"text", "label"}`, `{"messages", "label"}`, and one column for each class.

A label is one class, several as a list, or a number.
"""

from collections.abc import Collection, Sequence
from typing import Any

from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    from_json,
    has,
    refuse_media,
    required_text,
)
from backend.datasets.importers.openai_messages import answered, roles_in
from backend.datasets.importers.turns import turns_of
from backend.datasets.rows import Repair, RowError
from training_engine.contract.names import RecordType

_IDS = frozenset(
    {"id", "idx", "index", "uid", "uuid", "row", "split", "source", "lang", "language"}
)
_FLAGS = {"0": False, "1": True}
# What a column says that a person has named as a class, besides.
_WORDS = {**_FLAGS, "0.0": False, "1.0": True, "false": False, "true": True}
_MIN_CLASSES = 2


def label_of(value: Any, field: str) -> Any:
    """A label as it is; raises `RowError` for none or for what can not be one.

    An empty list is a text without a class: where rows have several, that says something. Tables
    hold a list as JSON text in a cell.
    """
    if isinstance(found := from_json(value), list):
        value = found
    if value is None or (isinstance(value, str) and not value.strip()):
        raise RowError("missing_label", field, f"“{field}” is empty.")
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list):
        if all(isinstance(v, str) for v in value):
            return value
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
            return [float(v) for v in value]
    raise RowError(
        "wrong_type", field, f"“{field}” must be a text, a number or a list of one kind."
    )


def text_of_turns(turns: list[Fields], repairs: Repairs) -> str:
    """The text of a conversation that is judged as a whole; several turns stand below each other,
    which is a repair."""
    if any("tool_calls" in message for message in turns):
        raise RowError("wrong_type", "messages", "Calls of tools can not be classified.")
    texts = [message["content"] for message in turns if message["content"].strip()]
    if not texts:
        raise RowError("empty_text", "messages", "“messages” says nothing.")
    if len(texts) > 1:
        message = f"{len(texts)} turns became one text, one below the other."
        repairs.append(Repair("turns_as_text", "messages", message))
    return "\n".join(texts)


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    text = required_text(row, "text", "empty_text", repairs)
    return {"text": text, "label": label_of(row.get("label"), "label")}


def _matches_messages(row: Fields) -> bool:
    label = row.get("label")
    told = roles_in(row.get("messages"))
    return bool(told) and not answered(row["messages"]) and label not in (None, "", {})


def _convert_messages(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    text = text_of_turns(turns_of(row.get("messages"), "messages", repairs), repairs)
    return {"text": text, "label": label_of(row.get("label"), "label")}


def _classes(row: Fields) -> list[str]:
    """The columns that say yes or no of a class; none when another column may say something."""
    others = [name for name in row if name != "text" and name.lower() not in _IDS]
    whole = len(others) >= _MIN_CLASSES and all(_flag(row[name]) is not None for name in others)
    return others if whole else []


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    return _FLAGS.get(value.strip()) if isinstance(value, str) else None


def classes_of(row: Fields, names: Sequence[str]) -> list[str]:
    """The classes of a row that has a column for each; raises `RowError` for one that does not say
    yes or no."""
    found = []
    for name in names:
        value = row.get(name)
        flag = _WORDS.get(value.strip().lower()) if isinstance(value, str) else _flag(value)
        if flag is None:
            raise RowError("missing_label", name, f"“{name}” must hold 0 or 1.")
        if flag:
            found.append(name)
    return found


def _convert_columns(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    text = required_text(row, "text", "empty_text", repairs)
    names = _classes(row)
    if not names:
        raise RowError("missing_label", None, "Every column of a class must hold 0 or 1.")
    return {"text": text, "label": [name for name in names if _flag(row[name])]}


def _uses_columns(row: Fields) -> Collection[str]:
    return _classes(row)


IMPORTER = Importer(
    "classification",
    RecordType.CLASSIFICATION,
    "the rows have “text” and “label”",
    lambda row: has(row, "text", "label"),
    _convert,
    frozenset(("text", "label")),
)
MESSAGES_LABEL = Importer(
    "messages_label",
    RecordType.CLASSIFICATION,
    "the rows have “messages” without an answer, and a “label”",
    _matches_messages,
    _convert_messages,
    frozenset(("messages", "label")),
)
LABEL_COLUMNS = Importer(
    "label_columns",
    RecordType.CLASSIFICATION,
    "the rows have “text”, and every other column says 0 or 1 of a class",
    lambda row: isinstance(row.get("text"), str) and bool(_classes(row)),
    _convert_columns,
    frozenset(("text",)),
    _uses_columns,
)
