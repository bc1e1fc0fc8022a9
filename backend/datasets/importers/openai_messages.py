"""OpenAI's chat format: `{"messages": [{"role", "content"}, …], "tools"?}`, with the blocks of
Anthropic's; and single answers in it, as ms-swift writes plain text."""

from typing import Any

from backend.datasets.importers.conversation import TOOLS, talk
from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    glimpse,
    refuse_media,
)
from backend.datasets.importers.questions import system_name, system_turns
from backend.datasets.importers.turns import ROLES, turns_of
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType


def roles_in(value: Any) -> list[str | None]:
    """The roles of a list of turns as far as they are known: a look that never fails."""
    items = glimpse(value)
    found: list[str | None] = []
    for item in items if isinstance(items, list) else ():
        said = (item.get("role") or item.get("from")) if isinstance(item, dict) else None
        if isinstance(item, dict) and said is None and "human" in item:
            found += ["user", "assistant"] if item.get("assistant") else ["user"]
        else:
            found.append(ROLES.get(said.strip().lower()) if isinstance(said, str) else None)
    return found


def answered(value: Any) -> bool:
    """Whether a list of turns ends with an answer of the assistant."""
    return roles_in(value)[-1:] in (["assistant"], ["function_call"])


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    turns = turns_of(row.get("messages"), "messages", repairs)
    # A message of the row is for conversations that bring none of their own.
    own = turns[0]["role"] == "system" if turns else False
    return talk(turns if own else [*system_turns(row, repairs), *turns], row, repairs)


def _uses(row: Fields) -> tuple[str, ...]:
    own = roles_in(row.get("messages"))[:1] == ["system"]
    return () if own else (system_name(row) or "system",)


def _convert_answer(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    turns = turns_of(row.get("messages"), "messages", repairs)
    text = turns[0]["content"] if turns else ""
    if len(turns) != 1 or "tool_calls" in turns[0] or turns[0]["role"] != "assistant":
        raise RowError(
            "wrong_type",
            "messages",
            "“messages” must be one turn of the assistant, as in the rest.",
        )
    if not text.strip():
        raise RowError("empty_text", "messages", "The text is empty.")
    return {"text": text}


IMPORTER = Importer(
    "openai_messages",
    RecordType.CONVERSATIONAL,
    "the rows have “messages”",
    lambda row: "messages" in row,
    _convert,
    frozenset(("messages", *TOOLS)),
    _uses,
)
ANSWERS_ONLY = Importer(
    "assistant_text",
    RecordType.LANGUAGE_MODELING,
    "the rows have “messages” of one answer that nobody asked for, which is plain text",
    lambda row: roles_in(row.get("messages")) == ["assistant"],
    _convert_answer,
    frozenset(("messages",)),
)
