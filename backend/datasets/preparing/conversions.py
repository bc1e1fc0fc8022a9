"""Changes that make records of another type."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from backend.datasets import change_schemas as shapes
from backend.datasets.preparing import values
from backend.datasets.rows import Repair, RowError
from training_engine.contract.names import RecordType

if TYPE_CHECKING:
    from backend.datasets.preparing.changes import Row

Record = dict[str, Any]
_PLACE = re.compile(r"\{(text|label|extra\.[^{}]{1,500})\}")
_NAMES = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}
_TALKS = frozenset({RecordType.CONVERSATIONAL, RecordType.PROMPT_COMPLETION})


def of(change: shapes.AnyChange, record_type: RecordType) -> Callable[[Row], None]:
    """The change of a single row whose record is of `record_type`."""
    match change:
        case shapes.ToText():
            return lambda row: _to_text(row, change)
        case shapes.ToConversation():
            return lambda row: _to_conversation(row, change)
        case shapes.ToClassification():
            return _to_classification
        case _ if record_type in _TALKS:
            return lambda row: None  # what they are called is all that changes
        case _ if record_type == RecordType.PREFERENCE:
            return _chosen_only
        case _:
            return _good_only


def _become(row: Row, record: Record) -> None:
    row.record, row.changed = record, True


def _beside(row: Row, name: str, value: Any) -> None:
    """Keep what the new record has no place for; a column of that name stays as it is."""
    if value is not None and name not in row.extra:
        row.extra[name] = value
        row.extra_changed = True


def _require_no_tools(record: Record) -> None:
    called = any("tool_calls" in message for message in record["messages"])
    if called or record.get("tools"):
        message = "A conversation with tools can not be written as plain text."
        raise RowError("tools_have_no_text", "tools", message)


def _note_lost_marks(row: Row) -> None:
    """Which turns are learnt, and who speaks, is not said in a text."""
    if any(message.keys() - {"role", "content"} for message in row.record["messages"]):
        message = "Marks of turns (whether they are learnt, names) went with the turns."
        row.repairs.append(Repair("turn_marks_removed", "messages", message))


def _to_text(row: Row, change: shapes.ToText) -> None:
    record = row.record
    if "messages" not in record:
        if "label" in record:
            _beside(row, "label", record["label"])
            _become(row, {"text": record["text"]})
        return
    _require_no_tools(record)
    _note_lost_marks(row)
    turns = [
        f"{_NAMES[message['role']]}: {message['content']}"
        if change.role_names
        else message["content"]
        for message in record["messages"]
    ]
    _become(row, {"text": change.separator.join(turns)})


def _to_conversation(row: Row, change: shapes.ToConversation) -> None:
    turns = [
        {"role": "user", "content": _filled(change.prompt, row)},
        {"role": "assistant", "content": _filled(change.answer, row)},
    ]
    if change.system:
        turns.insert(0, {"role": "system", "content": _filled(change.system, row)})
    _become(row, {"messages": turns})


def _filled(template: str, row: Row) -> str:
    """The template with what the row has; raises `RowError` for a value that it lacks."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        column = name.removeprefix(values.EXTRA)
        found = row.record.get(name) if column == name else row.extra.get(column)
        if found is None or found == []:
            raise RowError("missing_value", name, f"“{name}”, which the template names, is empty.")
        if isinstance(found, list) and not any(isinstance(v, list | dict) for v in found):
            return ", ".join(values.text_of(v) for v in found)
        if isinstance(found, list | dict):
            return orjson.dumps(found).decode()
        return values.text_of(found)

    return _PLACE.sub(value, template)


def _to_classification(row: Row) -> None:
    record = row.record
    _require_no_tools(record)
    answers = _said_by(record, "assistant")
    if len(answers) != 1:
        message = f"There are {len(answers)} answers; a label is the only answer."
        raise RowError("several_answers", "messages", message)
    _note_lost_marks(row)
    questions = _said_by(record, "user")
    for system in _said_by(record, "system"):
        _beside(row, "system", system)
    _become(row, {"text": "\n".join(questions), "label": answers[0].strip()})


def _said_by(record: Record, role: str) -> list[str]:
    return [message["content"] for message in record["messages"] if message["role"] == role]


def _chosen_only(row: Row) -> None:
    record = row.record
    whole: Record = {"messages": [*record["messages"], *record["chosen"]]}
    if record.get("tools"):
        whole["tools"] = record["tools"]
    _become(row, whole)


def _good_only(row: Row) -> None:
    if row.record.get("label") is not True:
        row.gone = True
        return
    _become(row, {name: value for name, value in row.record.items() if name != "label"})
