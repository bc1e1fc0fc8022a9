"""Questions and answers in columns of their own: what the columns are called, and the turns they
make."""

from collections.abc import Container
from typing import Any

from backend.datasets.importers.importer import (
    Fields,
    Repairs,
    from_json,
    glimpse,
    joined,
    required_text,
    text_of,
)
from backend.datasets.importers.turns import turn, turns_of
from backend.datasets.rows import RowError

PROMPT_NAMES = ("query", "prompt", "input", "instruction", "question", "problem")
ANSWER_NAMES = (
    *("response", "answer", "output", "targets", "target", "answer_key", "answers", "solution"),
    *("text", "completion", "content"),
)
SYSTEM_NAMES = ("system", "system_prompt")
# Beside a question and an answer these belong into the prompt, in a way only a person can tell.
CONTEXT_NAMES = ("context", "passage", "article", "document")


def names_in(row: Container[str], names: tuple[str, ...]) -> list[str]:
    """Those of `names` that the row has."""
    return [name for name in names if name in row]


def system_name(row: Fields) -> str | None:
    """The column with the system message, when the row has one."""
    return next((name for name in SYSTEM_NAMES if row.get(name)), None)


def system_turns(row: Fields, repairs: Repairs) -> list[Fields]:
    """The system message of the row as a turn; Anthropic's may be a list of texts."""
    name = system_name(row)
    if name is None:
        return []
    if isinstance(row[name], list):
        return turn({"role": "system", "content": row[name]}, name, repairs)
    return [{"role": "system", "content": text_of(row[name], name, repairs)}]


def history_of(value: Any, repairs: Repairs) -> list[Fields]:
    """Earlier turns from `[["question", "answer"], …]`, or JSON text of it."""
    value = from_json(value)
    if value in (None, "", [], {}):
        return []
    turns: list[Fields] = []
    if not isinstance(value, list):
        raise RowError("wrong_type", "history", "“history” must be a list of pairs.")
    for number, pair in enumerate(value):
        where = f"history[{number}]"
        if not isinstance(pair, list) or len(pair) != 2:
            raise RowError("wrong_type", where, f"“{where}” must be a pair of texts.")
        turns.append({"role": "user", "content": text_of(pair[0], where, repairs)})
        turns.append({"role": "assistant", "content": text_of(pair[1], where, repairs)})
    return turns


def said(row: Fields, name: str, role: str, repairs: Repairs) -> list[Fields]:
    """What a column holds as turns: a text that `role` says, one turn, or a list of turns.

    Raises `RowError` for nothing.
    """
    rule = "missing_prompt" if role == "user" else "missing_answer"
    value = row.get(name)
    if isinstance(value, dict):
        return turn(value, name, repairs)
    if isinstance(value, list) or may_be_turns(value):
        return turns_of(value, name, repairs)
    return [{"role": role, "content": required_text(row, name, rule, repairs)}]


def may_be_turns(value: Any) -> bool:
    """Whether a text is JSON of turns, as a table holds them: a prompt may be any other list."""
    if not isinstance(value, str) or not value.startswith("[{") or '"role"' not in value:
        return False
    found = glimpse(value)
    return isinstance(found, list) and all(isinstance(e, dict) and "role" in e for e in found)


def asked(row: Fields, names: list[str], repairs: Repairs) -> list[Fields]:
    """The turn of the user that several columns make together, one below the other."""
    if len(names) == 1:
        return said(row, names[0], "user", repairs)
    text = joined(*(text_of(row.get(name), name, repairs) for name in names))
    if not text:
        raise RowError("missing_prompt", names[0], f"“{names[0]}” is empty.")
    return [{"role": "user", "content": text}]
