"""OpenAI's chat format: `{"messages": [{"role", "content"}, …], "tools"?}`."""

from typing import Any

from backend.datasets.importers.importer import Fields, Importer, Repairs, refuse_media
from backend.datasets.importers.turns import conversation, plain_turn, tools_of, turn
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType


def turns_of(value: Any, field: str, repairs: Repairs) -> list[Fields]:
    """A list of turns with `role` and `content`, not yet checked as a conversation."""
    if type(value) is not list:
        raise RowError("wrong_type", field, f"“{field}” must be a list of turns.")
    if not value:
        raise RowError("missing_answer", field, f"“{field}” is empty.")
    return [
        plain_turn(item, "role", "content")
        or turn(item, "role", "content", f"{field}[{number}]", repairs)
        for number, item in enumerate(value)
    ]


def _matches(row: Fields) -> bool:
    return "messages" in row


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    record: Fields = {
        "messages": conversation(turns_of(row.get("messages"), "messages", repairs), repairs)
    }
    if tools := tools_of(row.get("tools")):
        record["tools"] = tools
    return record


IMPORTER = Importer(
    "openai_messages",
    RecordType.CONVERSATIONAL,
    "the rows have “messages”",
    _matches,
    _convert,
    frozenset(("messages", "tools")),
)
