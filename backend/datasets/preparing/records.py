"""What a changed record must still be to be used: the same as after an import."""

from typing import Any

from backend.datasets.importers.classification import label_of
from backend.datasets.importers.conversation import conversation
from backend.datasets.importers.importer import Repairs
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType

Record = dict[str, Any]


def require_whole(record: Record, record_type: RecordType, repairs: Repairs) -> None:
    """Raise `RowError` for a record that can not be used; note what had to be repaired in it."""
    match record_type:
        case RecordType.LANGUAGE_MODELING:
            _require_text(record)
        case RecordType.CLASSIFICATION:
            _require_text(record)
            record["label"] = label_of(record.get("label"), "label")
        case RecordType.PREFERENCE:
            _require_preference(record)
        case RecordType.STEPWISE_SUPERVISION:
            _require_steps(record)
        case _:
            record["messages"] = conversation(record["messages"], repairs)


def _require_text(record: Record) -> None:
    text = record.get("text")
    if not text or text.isspace():
        raise RowError("empty_text", "text", "“text” is empty.")


def _require_preference(record: Record) -> None:
    if not any(message["role"] == "user" for message in record["messages"]):
        raise RowError("missing_prompt", None, "There is no question that both answers follow.")
    _require_said(record["messages"], "missing_prompt", "messages")
    for name in ("chosen", "rejected"):
        _require_said(record[name], "missing_answer", name)
    if record["chosen"] == record["rejected"]:
        raise RowError("same_answers", "rejected", "Both answers are the same.")


def _require_steps(record: Record) -> None:
    _require_said(record["messages"], "missing_answer", "messages")


def _require_said(messages: list[Record], rule: str, field: str) -> None:
    for number, message in enumerate(messages):
        said = message["content"].strip() or "tool_calls" in message or message["role"] == "tool"
        if not said:
            where = f"{field}[{number}]"
            raise RowError(rule, where, f"“{where}” is empty.")
