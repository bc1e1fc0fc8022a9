"""When rows are not what they look like: two formats in one, prompts that nobody answers, words
with a label each. Where a person can tell, the reason to ask; where nothing helps, the refusal."""

from collections.abc import Sequence
from typing import Any

from backend.datasets.importers import (
    alpaca,
    classification,
    feedback,
    named_pairs,
    openai_messages,
    preference,
    preference_variants,
    prompt_completion,
    segments,
    sharegpt,
)
from backend.datasets.importers.importer import Fields, Importer, glimpse
from backend.datasets.importers.questions import ANSWER_NAMES, PROMPT_NAMES, names_in
from backend.datasets.rows import UnreadableFile

# Each of these is a whole sample: a row that two of them claim says two things.
_RIVALS = (
    preference_variants.OPENAI_PREFERENCE,
    preference.PREFERENCE,
    preference_variants.REJECTED_RESPONSE,
    preference_variants.RANKED,
    preference_variants.VERTEX,
    feedback.UNPAIRED_PREFERENCE,
    feedback.STEPWISE_SUPERVISION,
    classification.MESSAGES_LABEL,
    openai_messages.IMPORTER,
    sharegpt.IMPORTER,
    prompt_completion.PROMPT_COMPLETION,
    alpaca.IMPORTER,
    *named_pairs.IMPORTERS,
    classification.IMPORTER,
    segments.IMPORTER,
)
_TALKS = (openai_messages.IMPORTER, sharegpt.IMPORTER)
_PAIRS = (
    prompt_completion.PROMPT_COMPLETION,
    alpaca.IMPORTER,
    *named_pairs.IMPORTERS,
    prompt_completion.QUERY_RESPONSE,
)
# Columns that never are an answer.
_BESIDE = frozenset(
    {"prompt", "messages", "conversations", "conversation", "system", "system_prompt", "tools"}
    | {"functions", "id", "idx", "index", "source", "data_source", "category", "language", "lang"}
)
_NO_ANSWERS = (
    "the rows are prompts without answers; a mapping can name a column that holds the answers, or "
    "import the prompts as plain text"
)


def reason_to_ask(importer: Importer, rows: Sequence[Fields]) -> str | None:
    """Why rows that a family claims may mean something else as well."""
    row = max(rows, key=len)
    columns = _columns(importer, row)
    for rival in _RIVALS:
        # A rival that claims nothing of its own is only a part of the family.
        if rival is not importer and rival.matches(row) and not _columns(rival, row) <= columns:
            return f"{importer.because} and also what {rival.name} needs"
    if importer in _TALKS and all(_nobody_answers(_turns(each)) for each in rows):
        return _NO_ANSWERS
    if importer in _PAIRS:
        if any(each.get("parent_id") not in (None, "") for each in rows):
            return (
                "“parent_id” links rows into threads, which are not joined: a mapping imports "
                "each row on its own"
            )
        if "label" in row and all(feedback.verdict_of(r.get("label")) is not None for r in rows):
            return "“label” may be a verdict about the answer"
    return importer.doubt(row)


def _columns(importer: Importer, row: Fields) -> set[str]:
    """What of the row the family makes its record of."""
    return set(importer.used.union(importer.uses(row)) & row.keys())


def why_none(rows: Sequence[Fields]) -> str:
    """Why no family claims these rows."""
    row = max(rows, key=len)
    if _prompts_only(row):
        return _NO_ANSWERS
    for names, what in ((PROMPT_NAMES, "question"), (ANSWER_NAMES, "answer")):
        found = names_in(row, names)
        if len(found) > 1:
            return f"more than one column may be the {what}: {', '.join(found)}"
    return "no column has a name that says what it is"


def refuse_unlearnable(rows: Sequence[Fields]) -> None:
    """Raise `UnreadableFile` for what no objective learns from and no mapping mends."""
    if all(isinstance(glimpse(row.get("tokens")), list) for row in rows) and any(
        isinstance(glimpse(row.get(name)), list)
        for name in ("tags", "ner_tags", "pos_tags", "labels")
        for row in rows
    ):
        raise UnreadableFile(
            "token_labels",
            "The rows have a label for each word (“tokens” and their tags), which no objective "
            "here learns.",
            "Classify whole texts instead: one “text” and one “label” in each row.",
        )
    if all(_prompts_only(row) and row.keys() <= _BESIDE for row in rows):
        raise UnreadableFile(
            "prompts_only",
            "The rows are prompts without answers, and nothing here learns from prompts alone.",
            "Add a column with the answers (“completion” beside “prompt”), or a last turn of the "
            "assistant to “messages”.",
        )


def _prompts_only(row: Fields) -> bool:
    """Whether a row asks and has no answer under a usual name."""
    if names_in(row, ANSWER_NAMES):
        return False
    turns = _turns(row)
    if isinstance(row.get("prompt"), str) and turns is row["prompt"]:
        return not names_in(row, ("chosen", "rejected", "generation", "completions"))
    return _nobody_answers(turns)


def _turns(row: Fields) -> Any:
    names = ("messages", "conversations", "conversation", "prompt")
    return next((row[name] for name in names if name in row), None)


def _nobody_answers(turns: Any) -> bool:
    roles = openai_messages.roles_in(turns)
    return "user" in roles and not {"assistant", "function_call"} & set(roles)
