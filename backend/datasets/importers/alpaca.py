"""Alpaca's instructions: `{"instruction", "input"?, "output", "system"?, "history"?}`.

`history` holds earlier turns as pairs of question and answer.
"""

from typing import Any

from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    has,
    joined,
    refuse_media,
    required_text,
    text_of,
)
from backend.datasets.importers.turns import conversation, tools_of
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType


def history_of(value: Any, repairs: Repairs) -> list[Fields]:
    """Earlier turns from `[["question", "answer"], …]`."""
    if value in (None, "", []):
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


def _matches(row: Fields) -> bool:
    return has(row, "instruction", "output")


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    instruction = text_of(row.get("instruction"), "instruction", repairs)
    prompt = joined(instruction, text_of(row.get("input"), "input", repairs))
    if not prompt:
        raise RowError("missing_prompt", "instruction", "“instruction” is empty.")
    answer = required_text(row, "output", "missing_answer", repairs)
    turns = history_of(row.get("history"), repairs)
    if system := text_of(row.get("system"), "system", repairs):
        turns.insert(0, {"role": "system", "content": system})
    turns += [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    record: Fields = {"messages": conversation(turns, repairs)}
    if tools := tools_of(row.get("tools")):
        record["tools"] = tools
    return record


IMPORTER = Importer(
    "alpaca",
    RecordType.PROMPT_COMPLETION,
    "the rows have “instruction” and “output”",
    _matches,
    _convert,
    frozenset(("instruction", "input", "output", "system", "history", "tools")),
)
