"""Prompt and completion, as texts or as lists of turns; and question and answer by other names."""

from collections.abc import Container

from backend.datasets.importers.alpaca import history_of
from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    has,
    refuse_media,
    required_text,
    text_of,
)
from backend.datasets.importers.openai_messages import turns_of
from backend.datasets.importers.turns import conversation, tools_of
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType

PROMPT_NAMES = ("query", "prompt", "input", "instruction", "question", "problem")
ANSWER_NAMES = (
    *("response", "answer", "output", "targets", "target", "answer_key", "answers", "solution"),
    *("text", "completion", "content"),
)
SYSTEM_NAMES = ("system", "system_prompt")
# Beside a question and an answer these belong into the prompt, in a way only a person can tell.
CONTEXT_NAMES = ("context", "passage", "article", "document")


def _matches_prompt_completion(row: Fields) -> bool:
    return has(row, "prompt", "completion")


def _convert_prompt_completion(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    turns: list[Fields] = []
    for field, role, rule in (
        ("prompt", "user", "missing_prompt"),
        ("completion", "assistant", "missing_answer"),
    ):
        if isinstance(row.get(field), list):
            turns += turns_of(row[field], field, repairs)
        else:
            turns.append({"role": role, "content": required_text(row, field, rule, repairs)})
    record: Fields = {"messages": conversation(_with_system(row, turns, repairs), repairs)}
    if tools := tools_of(row.get("tools")):
        record["tools"] = tools
    return record


def _with_system(row: Fields, turns: list[Fields], repairs: Repairs) -> list[Fields]:
    name = next((n for n in SYSTEM_NAMES if row.get(n)), None)
    if name is None:
        return turns
    return [{"role": "system", "content": text_of(row[name], name, repairs)}, *turns]


def names_in(row: Container[str], names: tuple[str, ...]) -> list[str]:
    """Those of `names` that the row has."""
    return [name for name in names if name in row]


def _matches_query_response(row: Fields) -> bool:
    return len(names_in(row, PROMPT_NAMES)) == 1 and len(names_in(row, ANSWER_NAMES)) == 1


def _only(row: Fields, names: tuple[str, ...], missing: str, what: str) -> str:
    """The one name of `names` that the row has."""
    found = names_in(row, names)
    if not found:
        raise RowError(missing, None, f"No column of the row is named like {what}.")
    if len(found) > 1:
        raise RowError(
            "ambiguous_columns", found[1], f"More than one column may be the {what}: {found}."
        )
    return found[0]


def _convert_query_response(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    prompt_name = _only(row, PROMPT_NAMES, "missing_prompt", "question")
    answer_name = _only(row, ANSWER_NAMES, "missing_answer", "answer")
    turns = [
        *history_of(row.get("history"), repairs),
        {"role": "user", "content": required_text(row, prompt_name, "missing_prompt", repairs)},
        {
            "role": "assistant",
            "content": required_text(row, answer_name, "missing_answer", repairs),
        },
    ]
    return {"messages": conversation(_with_system(row, turns, repairs), repairs)}


PROMPT_COMPLETION = Importer(
    "prompt_completion",
    RecordType.PROMPT_COMPLETION,
    "the rows have “prompt” and “completion”",
    _matches_prompt_completion,
    _convert_prompt_completion,
    frozenset(("prompt", "completion", "tools", *SYSTEM_NAMES)),
)
QUERY_RESPONSE = Importer(
    "query_response",
    RecordType.PROMPT_COMPLETION,
    "the rows have one column named like a question and one named like an answer",
    _matches_query_response,
    _convert_query_response,
    frozenset((*PROMPT_NAMES, *ANSWER_NAMES, *SYSTEM_NAMES, "history")),
)
