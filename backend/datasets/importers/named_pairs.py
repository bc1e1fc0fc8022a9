"""Question and answer under names that only one kind of file uses: axolotl's variants of Alpaca.

`INSTRUCTION`/`RESPONSE` (OASST), `article`/`summary`, `prompt`/`generation` (Metharme), and
`question`/`answer` about an `article` or a `context`, which stands before the question.
"""

from collections.abc import Callable

from backend.datasets.importers.conversation import TOOLS, talk
from backend.datasets.importers.importer import Fields, Importer, Repairs, has, refuse_media
from backend.datasets.importers.questions import (
    ANSWER_NAMES,
    PROMPT_NAMES,
    asked,
    history_of,
    names_in,
    said,
    system_name,
    system_turns,
)
from training_engine.contract.names import RecordType

Columns = Callable[[Fields], list[str]]


def _pair(name: str, questions: Columns, answer: str, because: str, alone: bool) -> Importer:
    """`questions` are the columns of the prompt; `alone` when no other may be a question."""

    def matches(row: Fields) -> bool:
        if not has(row, *questions(row), answer):
            return False
        others = set(names_in(row, (*PROMPT_NAMES, *ANSWER_NAMES)))
        return not (alone and others - {*questions(row), answer})

    def convert(row: Fields, repairs: Repairs) -> Fields:
        refuse_media(row)
        turns = [
            *system_turns(row, repairs),
            *history_of(row.get("history"), repairs),
            *asked(row, questions(row), repairs),
            *said(row, answer, "assistant", repairs),
        ]
        return talk(turns, row, repairs)

    return Importer(
        name,
        RecordType.PROMPT_COMPLETION,
        because,
        matches,
        convert,
        frozenset((answer, "history", *TOOLS)),
        lambda row: (*questions(row), system_name(row) or "system"),
    )


def _about(row: Fields) -> list[str]:
    return ["article" if "article" in row and "context" not in row else "context", "question"]


OASST = _pair(
    "oasst",
    lambda _row: ["INSTRUCTION"],
    "RESPONSE",
    "the rows have “INSTRUCTION” and “RESPONSE”",
    alone=False,
)
SUMMARY = _pair(
    "summary",
    lambda _row: ["article"],
    "summary",
    "the rows have “article” and “summary”",
    alone=True,
)
METHARME = _pair(
    "metharme",
    lambda _row: ["prompt"],
    "generation",
    "the rows have “prompt” and “generation”",
    alone=True,
)
CONTEXT_QA = _pair(
    "context_qa",
    _about,
    "answer",
    "the rows have a question, its answer, and the text that it is about",
    alone=True,
)
IMPORTERS = (OASST, SUMMARY, METHARME, CONTEXT_QA)
