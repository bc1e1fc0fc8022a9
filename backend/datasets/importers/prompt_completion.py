"""Prompt and completion, as texts or as lists of turns; and question and answer by other names."""

from collections.abc import Collection

from backend.datasets.importers.conversation import TOOLS, talk
from backend.datasets.importers.importer import Fields, Importer, Repairs, has, refuse_media
from backend.datasets.importers.questions import (
    ANSWER_NAMES,
    CONTEXT_NAMES,
    PROMPT_NAMES,
    history_of,
    names_in,
    said,
    system_name,
    system_turns,
)
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType


def _convert_prompt_completion(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    turns = [
        *system_turns(row, repairs),
        *history_of(row.get("history"), repairs),
        *said(row, "prompt", "user", repairs),
        *said(row, "completion", "assistant", repairs),
    ]
    return talk(turns, row, repairs)


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
        *system_turns(row, repairs),
        *history_of(row.get("history"), repairs),
        *said(row, prompt_name, "user", repairs),
        *said(row, answer_name, "assistant", repairs),
    ]
    return talk(turns, row, repairs)


def _uses(row: Fields) -> Collection[str]:
    return (system_name(row) or "system",)


def _doubt(row: Fields) -> str | None:
    context = names_in(row, CONTEXT_NAMES)
    return f"“{context[0]}” may be part of the prompt" if context else None


PROMPT_COMPLETION = Importer(
    "prompt_completion",
    RecordType.PROMPT_COMPLETION,
    "the rows have “prompt” and “completion”",
    lambda row: has(row, "prompt", "completion"),
    _convert_prompt_completion,
    frozenset(("prompt", "completion", "history", *TOOLS)),
    _uses,
)
QUERY_RESPONSE = Importer(
    "query_response",
    RecordType.PROMPT_COMPLETION,
    "the rows have one column named like a question and one named like an answer",
    _matches_query_response,
    _convert_query_response,
    frozenset((*PROMPT_NAMES, *ANSWER_NAMES, "history", *TOOLS)),
    _uses,
    _doubt,
)
