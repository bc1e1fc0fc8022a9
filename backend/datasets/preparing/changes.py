"""Changes of texts, system messages, labels and columns; `conversions` has those of the type."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.datasets import change_schemas as shapes
from backend.datasets.importers.classification import label_of
from backend.datasets.importers.feedback import verdict_of
from backend.datasets.preparing import conversions, expressions, values
from backend.datasets.rows import Repair, RowError
from training_engine.contract.names import RecordType

Record = dict[str, Any]
_TEXTS = frozenset({RecordType.LANGUAGE_MODELING, RecordType.CLASSIFICATION})
_LISTS = ("messages", "chosen", "rejected")
_ROLE_OF = {"prompt": "user", "answer": "assistant", "system": "system"}


@dataclass(slots=True)
class Row:
    """A row that is being changed; `error` drops it, `gone` leaves it out as the user asked."""

    record: Record
    extra: Record
    changed: bool = False
    extra_changed: bool = False
    gone: bool = False
    error: RowError | None = None
    repairs: list[Repair] = field(default_factory=list)


def apply(change: shapes.AnyChange, rows: Sequence[Row], record_type: RecordType) -> None:
    """Make one change in all rows, whose records are of `record_type` before it."""
    match change:
        case shapes.Replace():
            _rewrite(rows, change.where, _replacing(change))
        case shapes.Trim():
            _rewrite(rows, "all", lambda texts: [text.strip() for text in texts])
        case shapes.CollapseSpaces():
            _rewrite(rows, "all", lambda texts: expressions.replaced(texts, "[ \t]+", " "))
        case _:
            one = _of_one(change, record_type)
            for row in rows:
                try:
                    one(row)
                except RowError as error:
                    row.error = error.with_traceback(None)  # which holds the row


def _of_one(change: shapes.AnyChange, record_type: RecordType) -> Callable[[Row], None]:
    """The change of a single row; it raises `RowError` when that can not be used any more."""
    match change:
        case shapes.SetSystem():
            return lambda row: _set_system(row, change.text, change.when)
        case shapes.SystemFromExtra():
            return lambda row: _system_from_extra(row, change)
        case shapes.RemoveSystem():
            return _remove_system
        case shapes.RenameLabel():
            return lambda row: _rename_label(row, change)
        case shapes.LabelFromExtra():
            return lambda row: _label_from_extra(row, change.column, record_type)
        case shapes.DropExtra():
            return lambda row: _drop_extra(row, change.columns)
        case shapes.KeepLastTurns():
            return lambda row: _keep_last_turns(row, change.turns)
        case _:
            return conversions.of(change, record_type)


def _slots(record: Record, part: str) -> Iterator[tuple[Record, str]]:
    """Where the texts of a part of the record are."""
    role = _ROLE_OF.get(part)
    if role is not None or part == "all":
        for name in _LISTS:
            for message in record.get(name) or ():
                if role is None or message["role"] == role:
                    yield message, "content"
    if part in ("text", "all") and record.get("text") is not None:
        yield record, "text"


def _rewrite(rows: Sequence[Row], part: str, rewrite: Callable[[list[str]], Iterable[str]]) -> None:
    """Change texts, those of all rows at once."""
    places = [(row, *slot) for row in rows for slot in _slots(row.record, part)]
    before = [holder[key] for _, holder, key in places]
    for (row, holder, key), old, new in zip(places, before, rewrite(before), strict=True):
        if old != new:
            holder[key] = new
            row.changed = True


def _replacing(change: shapes.Replace) -> Callable[[list[str]], list[str]]:
    if change.regex:
        return lambda texts: expressions.replaced(texts, change.find, change.replacement)
    return lambda texts: [text.replace(change.find, change.replacement) for text in texts]


def _set_messages(row: Row, messages: list[Record]) -> None:
    if messages != row.record["messages"]:
        row.record["messages"] = messages
        row.changed = True


def _set_system(row: Row, text: str, when: str) -> None:
    messages = row.record["messages"]
    others = [message for message in messages if message["role"] != "system"]
    if when == "always" or len(others) == len(messages):
        _set_messages(row, [{"role": "system", "content": text}, *others])


def _remove_system(row: Row) -> None:
    _set_messages(row, [m for m in row.record["messages"] if m["role"] != "system"])


def _system_from_extra(row: Row, change: shapes.SystemFromExtra) -> None:
    value = row.extra.get(change.column)
    if value is None:
        return
    if not isinstance(value, str | int | float):
        raise RowError("wrong_type", change.column, f"“{change.column}” is not a text.")
    del row.extra[change.column]
    row.extra_changed = True
    if text := values.text_of(value).strip():
        _set_system(row, text, change.when)


def _rename_label(row: Row, change: shapes.RenameLabel) -> None:
    label, old, new = row.record.get("label"), change.old, change.new
    if old is None or new is None:
        return
    if isinstance(label, list):
        renamed: Any = [new if values.same(each, old) else each for each in label]
    else:
        renamed = new if label is not None and values.same(label, old) else label
    if renamed != label or type(renamed) is not type(label):
        row.record["label"] = renamed
        row.changed = True


def _label_from_extra(row: Row, column: str, record_type: RecordType) -> None:
    value = row.extra.pop(column, None)
    row.extra_changed = row.extra_changed or value is not None
    if record_type in _TEXTS:
        label = label_of(value, column)
    else:
        label = verdict_of(value)
        if label is None:
            raise RowError("missing_label", column, f"“{column}” must say true or false.")
    row.record["label"] = label
    row.changed = True


def _drop_extra(row: Row, columns: list[str] | None) -> None:
    gone = list(row.extra) if columns is None else [c for c in columns if c in row.extra]
    for column in dict.fromkeys(gone):
        del row.extra[column]
        row.extra_changed = True


def _keep_last_turns(row: Row, turns: int) -> None:
    messages = row.record["messages"]
    system = messages[:1] if messages[:1] and messages[0]["role"] == "system" else []
    rest = messages[len(system) :][-turns:]
    while rest and rest[0]["role"] != "user":
        rest = rest[1:]
    if not rest:
        message = f"The last {turns} turn(s) have no question of the user."
        raise RowError("missing_prompt", None, message)
    _set_messages(row, [*system, *rest])
