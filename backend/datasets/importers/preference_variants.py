"""Preferences that are not two columns: OpenAI's, ms-swift's, Vertex AI's, and ranked answers."""

from typing import Any

from backend.datasets.importers.conversation import TOOLS, with_tools
from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    from_json,
    glimpse,
    has,
    refuse_media,
    text_of,
)
from backend.datasets.importers.pairs import answer_of, pair_record
from backend.datasets.importers.questions import said, system_name, system_turns
from backend.datasets.importers.turns import ROLES, turns_of
from backend.datasets.rows import Repair, RowError
from training_engine.contract.names import RecordType

_OUTPUTS = ("preferred_output", "preferred_completion")


def _preferred(row: Fields) -> str:
    return next((name for name in _OUTPUTS if name in row), _OUTPUTS[0])


def _matches_openai(row: Fields) -> bool:
    return isinstance(glimpse(row.get("input")), dict) and any(name in row for name in _OUTPUTS)


def _convert_openai(row: Fields, repairs: Repairs) -> Fields:
    given = from_json(row.get("input"))
    if not isinstance(given, dict):
        raise RowError("wrong_type", "input", "“input” must be an object with “messages”.")
    refuse_media(given)
    chosen = _preferred(row)
    rejected = f"non_{chosen}"
    record = pair_record(
        turns_of(given.get("messages"), "input.messages", repairs),
        answer_of(from_json(row.get(chosen)), chosen, repairs),
        answer_of(from_json(row.get(rejected)), rejected, repairs),
        repairs,
    )
    for key, value in given.items():
        if key not in ("messages", *TOOLS) and value not in (None, "", [], {}):
            message = f"“{key[:40]}” of the input is not used."
            repairs.append(Repair("ignored_field", f"input.{key}", message))
    return with_tools(record, given)


def _uses_openai(row: Fields) -> tuple[str, ...]:
    return ("input", _preferred(row), f"non_{_preferred(row)}")


def _rejected(row: Fields) -> str:
    return "rejected_messages" if "rejected_messages" in row else "rejected_response"


def _matches_rejected(row: Fields) -> bool:
    chosen = "chosen" in row or "chosen_response" in row
    return "messages" in row and _rejected(row) in row and not chosen


def _convert_rejected(row: Fields, repairs: Repairs) -> Fields:
    """The chosen answer is the last turn of `messages`."""
    refuse_media(row)
    whole = turns_of(row.get("messages"), "messages", repairs)
    if whole[0]["role"] != "system":
        whole = [*system_turns(row, repairs), *whole]
    field = _rejected(row)
    value = from_json(row.get(field))
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        if len(value) > 1:
            message = f"{len(value) - 1} more rejected answer(s) are not used: a row has one."
            repairs.append(Repair("more_answers", field, message))
        value = value[0] if value else None
    answer = answer_of(value, field, repairs)
    return with_tools(pair_record(whole[:-1], whole[-1:], answer, repairs), row)


def _rank(answer: Any) -> float | None:
    rank = answer.get("rank") if isinstance(answer, dict) else None
    return rank if isinstance(rank, int | float) and not isinstance(rank, bool) else None


def _ranked(row: Fields) -> list[Fields]:
    found = glimpse(row.get("answers"))
    whole = isinstance(found, list) and len(found) > 1
    return found if whole and all(_rank(answer) is not None for answer in found) else []


def _matches_ranked(row: Fields) -> bool:
    return "prompt" in row and bool(_ranked(row))


def _convert_ranked(row: Fields, repairs: Repairs) -> Fields:
    """The answer of the first rank against that of the last."""
    refuse_media(row)
    answers = sorted(_ranked(row), key=lambda answer: _rank(answer) or 0.0)
    if not answers or _rank(answers[0]) == _rank(answers[-1]):
        raise RowError("wrong_type", "answers", "“answers” must be two or more with ranks.")
    if len(answers) > 2:
        message = f"{len(answers) - 2} answer(s) between the best and the worst are not used."
        repairs.append(Repair("more_answers", "answers", message))
    prompt = [*system_turns(row, repairs), *said(row, "prompt", "user", repairs)]
    chosen, rejected = (
        answer_of(answers[n].get("answer"), "answers.answer", repairs) for n in (0, -1)
    )
    return with_tools(pair_record(prompt, chosen, rejected, repairs), row)


def _vertex_turns(contents: Any, where: str, repairs: Repairs) -> list[Fields]:
    """Turns of `{"role", "parts": [{"text"}]}`."""
    contents = from_json(contents)
    turns: list[Fields] = []
    for number, item in enumerate(contents if isinstance(contents, list) else [contents]):
        place = f"{where}[{number}]"
        parts = item.get("parts") if isinstance(item, dict) else None
        if not isinstance(parts, list):
            raise RowError("wrong_type", place, f"“{place}” must have “parts”.")
        role = ROLES.get(str(item.get("role", "user")).lower())
        if role not in ("user", "assistant", "system"):
            raise RowError("unknown_role", place, f"“{str(item.get('role'))[:40]}” is no role.")
        for part in parts:
            if not isinstance(part, dict) or set(part) != {"text"}:
                raise RowError("media_not_supported", place, "A part of the turn is not text.")
        text = "".join(text_of(part["text"], place, repairs) for part in parts)
        turns.append({"role": role, "content": text})
    return turns


def _scored(row: Fields) -> list[tuple[float, Any]]:
    found = glimpse(row.get("completions"))
    return [
        (each["score"], each["completion"])
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict)
        and "completion" in each
        and isinstance(each.get("score"), int | float)
    ]


def _convert_vertex(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    scored = sorted(_scored(row), key=lambda pair: pair[0], reverse=True)
    if len(scored) != 2 or scored[0][0] == scored[1][0]:
        raise RowError("missing_label", "completions", "There must be two completions with scores.")
    prompt = _vertex_turns(row.get("contents"), "contents", repairs)
    told = row.get("systemInstruction") or row.get("system_instruction")
    if told:
        text = "".join(m["content"] for m in _vertex_turns(told, "systemInstruction", repairs))
        prompt.insert(0, {"role": "system", "content": text})
    answers = [_vertex_turns(answer, "completions", repairs) for _, answer in scored]
    return pair_record(prompt, answers[0], answers[1], repairs)


OPENAI_PREFERENCE = Importer(
    "openai_preference",
    RecordType.PREFERENCE,
    "the rows have “input” and “preferred_output”",
    _matches_openai,
    _convert_openai,
    uses=_uses_openai,
)
REJECTED_RESPONSE = Importer(
    "messages_rejected",
    RecordType.PREFERENCE,
    "the rows have “messages” and a rejected answer",
    _matches_rejected,
    _convert_rejected,
    frozenset(("messages", *TOOLS)),
    lambda row: (_rejected(row), system_name(row) or "system"),
)
RANKED = Importer(
    "ranked_answers",
    RecordType.PREFERENCE,
    "the rows have answers with ranks: the best is better than the worst",
    _matches_ranked,
    _convert_ranked,
    frozenset(("prompt", "answers", *TOOLS)),
    lambda row: (system_name(row) or "system",),
)
VERTEX = Importer(
    "vertex_preference",
    RecordType.PREFERENCE,
    "the rows have “contents” and completions with scores",
    lambda row: has(row, "contents", "completions"),
    _convert_vertex,
    frozenset(("contents", "completions", "systemInstruction", "system_instruction")),
)
