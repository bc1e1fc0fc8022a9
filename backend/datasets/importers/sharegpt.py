"""ShareGPT's chat format in its three shapes.

`{"conversations": [{"from", "value"}, …]}`, the same with `role` and `content`, and
`{"conversation": [{"human", "assistant"}, …]}`; each with an optional `system` and `tools`.
"""

from typing import Any

from backend.datasets.importers.importer import Fields, Importer, Repairs, refuse_media, text_of
from backend.datasets.importers.turns import conversation, plain_turn, tools_of, turn
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType


def turns_of(row: Fields, repairs: Repairs) -> list[Fields]:
    """System message and turns of a row, not yet checked as a conversation."""
    field = "conversations" if "conversations" in row else "conversation"
    items = row.get(field)
    if type(items) is not list:
        raise RowError("wrong_type", field, f"“{field}” must be a list of turns.")
    if not items:
        raise RowError("missing_answer", field, f"“{field}” is empty.")
    turns: list[Fields] = []
    system = text_of(row.get("system"), "system", repairs)
    if system:
        turns.append({"role": "system", "content": system})
    for number, item in enumerate(items):
        if plain := plain_turn(item, "from", "value"):
            turns.append(plain)
        else:
            turns.extend(_turns(item, f"{field}[{number}]", repairs))
    return turns


def _turns(item: Any, where: str, repairs: Repairs) -> list[Fields]:
    if type(item) is dict and "human" in item and "from" not in item and "role" not in item:
        return [
            {"role": "user", "content": text_of(item["human"], f"{where}.human", repairs)},
            {
                "role": "assistant",
                "content": text_of(item.get("assistant"), f"{where}.assistant", repairs),
            },
        ]
    role_key = "role" if type(item) is dict and "role" in item else "from"
    content_key = "content" if type(item) is dict and "content" in item else "value"
    return [turn(item, role_key, content_key, where, repairs)]


def _matches(row: Fields) -> bool:
    return "conversations" in row or type(row.get("conversation")) is list


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    record: Fields = {"messages": conversation(turns_of(row, repairs), repairs)}
    if tools := tools_of(row.get("tools")):
        record["tools"] = tools
    return record


IMPORTER = Importer(
    "sharegpt",
    RecordType.CONVERSATIONAL,
    "the rows have “conversations”",
    _matches,
    _convert,
    frozenset(("conversations", "conversation", "system", "tools")),
)
