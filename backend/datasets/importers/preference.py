"""A better and a worse answer to the same prompt, in the shapes that trainers read.

`prompt`/`instruction`/`question`/`conversations` with `chosen` and `rejected` (texts, one turn, or
whole conversations); `messages` with `rejected_response` or `rejected_messages`; and
`input.messages` with `preferred_output` and `non_preferred_output`.
"""

from typing import Any

from backend.datasets.importers import sharegpt
from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    has,
    joined,
    refuse_media,
    text_of,
)
from backend.datasets.importers.openai_messages import turns_of
from backend.datasets.importers.turns import tools_of, turn
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType

_CHOSEN = ("chosen", "chosen_response")
_REJECTED = ("rejected", "rejected_response", "rejected_text")
_PROMPTS = ("prompt", "question", "instruction", "input")


def _answer(value: Any, field: str, repairs: Repairs) -> list[Fields]:
    """An answer as turns: from a text, from one turn, or from a list of them."""
    if isinstance(value, list):
        return turns_of(value, field, repairs) if value else []
    if isinstance(value, dict):
        keys = ("from", "value") if "from" in value else ("role", "content")
        return [turn(value, *keys, field, repairs)]
    text = text_of(value, field, repairs)
    return [{"role": "assistant", "content": text}] if text.strip() else []


def _prompt(row: Fields, repairs: Repairs) -> list[Fields]:
    """What both answers follow; empty when it stands inside of them."""
    if "conversations" in row:
        return sharegpt.turns_of(row, repairs)
    if "messages" in row:
        return turns_of(row["messages"], "messages", repairs)
    prompt = row.get("prompt")
    if isinstance(prompt, list):
        return turns_of(prompt, "prompt", repairs)
    parts = [text_of(row[name], name, repairs) for name in _PROMPTS if name in row]
    text = joined(*parts)
    system = text_of(row.get("system"), "system", repairs)
    turns = [{"role": "system", "content": system}] if system else []
    return [*turns, {"role": "user", "content": text}] if text else turns


def _record(prompt: list[Fields], chosen: list[Fields], rejected: list[Fields]) -> Fields:
    """Takes a shared beginning out of two whole conversations when there is no prompt."""
    if not prompt:
        shared = 0
        while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
            shared += 1
        prompt, chosen, rejected = chosen[:shared], chosen[shared:], rejected[shared:]
    elif len(chosen) > len(prompt) and chosen[: len(prompt)] == prompt:
        chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
    if not any(message["role"] == "user" for message in prompt):
        raise RowError("missing_prompt", None, "There is no question that both answers follow.")
    for name, answer in (("chosen", chosen), ("rejected", rejected)):
        if not answer or answer[-1]["role"] != "assistant":
            raise RowError("missing_answer", name, f"There is no “{name}” answer.")
    if chosen == rejected:
        raise RowError("same_answers", "rejected", "Both answers are the same.")
    return {"messages": prompt, "chosen": chosen, "rejected": rejected}


def _named(row: Fields, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in row), names[0])


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    chosen, rejected = _named(row, _CHOSEN), _named(row, _REJECTED)
    record = _record(
        _prompt(row, repairs),
        _answer(row.get(chosen), chosen, repairs),
        _answer(row.get(rejected), rejected, repairs),
    )
    if tools := tools_of(row.get("tools")):
        record["tools"] = tools
    return record


def _convert_openai(row: Fields, repairs: Repairs) -> Fields:
    given = row.get("input")
    if not isinstance(given, dict):
        raise RowError("wrong_type", "input", "“input” must be an object with “messages”.")
    chosen = _named(row, ("preferred_output", "preferred_completion"))
    rejected = f"non_{chosen}"
    record = _record(
        turns_of(given.get("messages"), "input.messages", repairs),
        _answer(row.get(chosen), chosen, repairs),
        _answer(row.get(rejected), rejected, repairs),
    )
    if tools := tools_of(given.get("tools")):
        record["tools"] = tools
    return record


def _convert_rejected(row: Fields, repairs: Repairs) -> Fields:
    """The chosen answer is the last turn of `messages`."""
    whole = turns_of(row.get("messages"), "messages", repairs)
    rejected = _named(row, ("rejected_response", "rejected_messages"))
    return _record(whole[:-1], whole[-1:], _answer(row.get(rejected), rejected, repairs))


OPENAI_PREFERENCE = Importer(
    "openai_preference",
    RecordType.PREFERENCE,
    "the rows have “input” and “preferred_output”",
    lambda row: (
        isinstance(row.get("input"), dict)
        and ("preferred_output" in row or "preferred_completion" in row)
    ),
    _convert_openai,
    frozenset(
        (
            "input",
            "preferred_output",
            "non_preferred_output",
            "preferred_completion",
            "non_preferred_completion",
        )
    ),
)
PREFERENCE = Importer(
    "preference",
    RecordType.PREFERENCE,
    "the rows have a chosen and a rejected answer",
    lambda row: has(row, "chosen", "rejected") or has(row, "chosen_response", "rejected_response"),
    _convert,
    frozenset((*_CHOSEN, *_REJECTED, *_PROMPTS, "system", "messages", "conversations", "tools")),
)
REJECTED_RESPONSE = Importer(
    "messages_rejected",
    RecordType.PREFERENCE,
    "the rows have “messages” and a rejected answer",
    lambda row: "messages" in row and ("rejected_response" in row or "rejected_messages" in row),
    _convert_rejected,
    frozenset(("messages", "rejected_response", "rejected_messages")),
)
