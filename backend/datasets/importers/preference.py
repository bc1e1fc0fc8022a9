"""A better and a worse answer to the same prompt, as columns of a row.

The prompt is in `conversations`, in `messages`, or in columns named like a question, or it is the
beginning that both answers share. The answers are texts, single turns, or whole conversations.
"""

from collections.abc import Collection

from backend.datasets.importers.conversation import TOOLS, with_tools
from backend.datasets.importers.importer import Fields, Importer, Repairs, from_json, refuse_media
from backend.datasets.importers.pairs import answer_of, pair_record, split_beginning
from backend.datasets.importers.questions import (
    ANSWER_NAMES,
    PROMPT_NAMES,
    asked,
    history_of,
    names_in,
    system_name,
    system_turns,
)
from backend.datasets.importers.sharegpt import told_turns
from backend.datasets.importers.turns import turns_of
from training_engine.contract.names import RecordType

_CHOSEN = ("chosen", "chosen_response")
_REJECTED = ("rejected", "rejected_response", "rejected_text")
# In the order in which they stand in the prompt when a row has more than one of them.
_QUESTIONS = ("prompt", "query", "problem", "question", "instruction", "input")


def _answers(row: Fields) -> tuple[str, str] | None:
    """The columns of the better and the worse answer."""
    rejected = names_in(row, _REJECTED)
    if not rejected:
        return None
    if chosen := names_in(row, _CHOSEN):
        return chosen[0], rejected[0]
    answers = names_in(row, ANSWER_NAMES)
    if len(answers) == 1 and names_in(row, PROMPT_NAMES):
        return answers[0], rejected[0]
    return None


def _matches(row: Fields) -> bool:
    found = _answers(row)
    return found is not None and (found[0] in _CHOSEN or "messages" not in row)


def _sources(row: Fields) -> list[list[str]]:
    """Where a prompt may be: each a list of columns that make it together.

    Conversations that hold the better answer again are none.
    """
    found: list[list[str]] = []
    answers = _answers(row) or ("chosen", "rejected")
    for name in ("conversations", "messages"):
        if name in row and row[name] != row.get(answers[0]):
            found.append([name])
    questions = [name for name in names_in(row, _QUESTIONS) if name not in answers]
    if set(questions) == {"instruction", "input"}:
        found.append(questions)
    else:
        found += [[name] for name in questions]
    return found


def _prompt(row: Fields, repairs: Repairs) -> list[Fields]:
    """What both answers follow; empty when it stands inside of them."""
    columns = next(iter(_sources(row)), [])
    if columns == ["conversations"]:
        return told_turns(row, repairs)
    turns = system_turns(row, repairs)
    if columns == ["messages"]:
        return [*turns, *turns_of(row["messages"], "messages", repairs)]
    turns += history_of(row.get("history"), repairs)
    if any(row.get(name) not in (None, "", []) for name in columns):
        turns += asked(row, columns, repairs)
    return turns


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    better, worse = _answers(row) or ("chosen", "rejected")
    chosen, rejected = from_json(row.get(better)), from_json(row.get(worse))
    prompt = _prompt(row, repairs)
    if not _sources(row) and not any(message["role"] != "system" for message in prompt):
        question, chosen, rejected = split_beginning(chosen, rejected, repairs)
        prompt += question
    record = pair_record(
        prompt, answer_of(chosen, better, repairs), answer_of(rejected, worse, repairs), repairs
    )
    return with_tools(record, row)


def _uses(row: Fields) -> Collection[str]:
    used: list[str] = list(_answers(row) or ())
    columns = next(iter(_sources(row)), [])
    if columns not in (["messages"], ["conversations"]):
        used.append("history")
    # A conversation that is the better answer once more says nothing else.
    used += [k for k in ("conversations", "messages") if used and row.get(k) == row.get(used[0])]
    return [*used, *columns, system_name(row) or "system"]


def _doubt(row: Fields) -> str | None:
    sources = _sources(row)
    if len(sources) > 1:
        first, second = sources[0][0], sources[1][0]
        return f"“{first}” and “{second}” may both be the prompt"
    return None


PREFERENCE = Importer(
    "preference",
    RecordType.PREFERENCE,
    "the rows have a chosen and a rejected answer",
    _matches,
    _convert,
    frozenset(TOOLS),
    _uses,
    _doubt,
)
