"""Records of every kind from columns that a person has named."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.datasets.importers.classification import classes_of, label_of, text_of_turns
from backend.datasets.importers.conversation import conversation
from backend.datasets.importers.feedback import labels_of, steps_record, verdict_of
from backend.datasets.importers.importer import (
    Fields,
    Repairs,
    from_json,
    required_text,
    text_of,
)
from backend.datasets.importers.pairs import answer_of, pair_record, split_beginning
from backend.datasets.importers.questions import asked, history_of, said
from backend.datasets.importers.tools import tools_of
from backend.datasets.importers.turns import SHAREGPT, Spelling, turns_of
from backend.datasets.rows import RowError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person said: part → column, a system message for rows that bring none, how turns
    are written, which value of a label means good (None: the usual ones), and columns that are each
    a class, in place of a label."""

    columns: Mapping[str, str]
    system: str
    spelling: Spelling
    label_true: str | None
    classes: tuple[str, ...] = ()

    def value(self, row: Fields, part: str) -> Any:
        """What the row has for a part; None without a column for it."""
        column = self.columns.get(part)
        return None if column is None else row.get(column)

    def verdict(self, value: Any) -> bool | None:
        """Whether a label means good; None when it says nothing."""
        if self.label_true is None:
            return verdict_of(value)
        if value is None or isinstance(value, list | dict) or not str(value).strip():
            return None
        return str(value).strip().lower() == self.label_true.strip().lower()


def conversational(row: Fields, wanted: Wanted, repairs: Repairs) -> Fields:
    """A list of turns."""
    return _talk(_messages(row, wanted, repairs), row, wanted, repairs)


def prompt_completion(row: Fields, wanted: Wanted, repairs: Repairs) -> Fields:
    """A question, perhaps in two columns, and its answer."""
    return _talk(_exchange(row, wanted, repairs), row, wanted, repairs)


def language_modeling(row: Fields, wanted: Wanted, repairs: Repairs) -> Fields:
    """A text."""
    return {"text": required_text(row, wanted.columns["text"], "empty_text", repairs)}


def classification(row: Fields, wanted: Wanted, repairs: Repairs) -> Fields:
    """A text, or the turns of a conversation, with its label or its classes."""
    if "messages" in wanted.columns:
        text = text_of_turns(_turns(row, wanted, repairs), repairs)
    else:
        text = required_text(row, wanted.columns["text"], "empty_text", repairs)
    if wanted.classes:
        return {"text": text, "label": classes_of(row, wanted.classes)}
    column = wanted.columns["label"]
    return {"text": text, "label": label_of(row.get(column), column)}


def preference(row: Fields, wanted: Wanted, repairs: Repairs) -> Fields:
    """Two answers to a prompt, which may stand inside of them."""
    better, worse = wanted.columns["chosen"], wanted.columns["rejected"]
    chosen, rejected = from_json(row.get(better)), from_json(row.get(worse))
    if "messages" in wanted.columns:
        prompt = _messages(row, wanted, repairs)
    elif "prompt" in wanted.columns:
        prompt = _asked(row, wanted, repairs)
    else:
        prompt, chosen, rejected = split_beginning(chosen, rejected, repairs)
        prompt = [*_system(row, wanted, repairs), *prompt]
    answers = (
        _answer(chosen, better, wanted, repairs),
        _answer(rejected, worse, wanted, repairs),
    )
    return _with_tools(pair_record(prompt, *answers, repairs), row, wanted)


def unpaired_preference(row: Fields, wanted: Wanted, repairs: Repairs) -> Fields:
    """An answer with a verdict about it."""
    column = wanted.columns["label"]
    verdict = wanted.verdict(row.get(column))
    if verdict is None:
        raise RowError("missing_label", column, f"“{column}” does not say good or bad.")
    turns = (
        _messages(row, wanted, repairs)
        if "messages" in wanted.columns
        else _exchange(row, wanted, repairs)
    )
    return {**_talk(turns, row, wanted, repairs), "label": verdict}


def stepwise_supervision(row: Fields, wanted: Wanted, repairs: Repairs) -> Fields:
    """The steps of an answer with a verdict about each."""
    steps = wanted.value(row, "completions")
    verdicts = labels_of(steps, wanted.value(row, "labels"), wanted.verdict)
    turns = _asked(row, wanted, repairs)
    return steps_record(turns, steps, verdicts, wanted.columns["completions"], repairs)


def _system(row: Fields, wanted: Wanted, repairs: Repairs) -> list[Fields]:
    own = ""
    if "system" in wanted.columns:
        own = text_of(wanted.value(row, "system"), wanted.columns["system"], repairs)
    text = own if own.strip() else wanted.system
    return [{"role": "system", "content": text}] if text.strip() else []


def _turns(row: Fields, wanted: Wanted, repairs: Repairs) -> list[Fields]:
    column = wanted.columns["messages"]
    return turns_of(row.get(column), column, repairs, SHAREGPT, wanted.spelling)


def _messages(row: Fields, wanted: Wanted, repairs: Repairs) -> list[Fields]:
    """The turns of the row, a system message in front; two of them become one, which is noted."""
    turns = _turns(row, wanted, repairs)
    if turns[0]["role"] != "system":
        return [*_system(row, wanted, repairs), *turns]
    if wanted.value(row, "system") in (None, ""):
        return turns
    return [*_system(row, wanted, repairs), *turns]


def _asked(row: Fields, wanted: Wanted, repairs: Repairs) -> list[Fields]:
    """System message, earlier turns and the question."""
    columns = [wanted.columns[part] for part in ("prompt", "input") if part in wanted.columns]
    present = [column for column in columns if row.get(column) not in (None, "", [])]
    return [
        *_system(row, wanted, repairs),
        *history_of(wanted.value(row, "history"), repairs),
        *asked(row, present or columns[:1], repairs),
    ]


def _exchange(row: Fields, wanted: Wanted, repairs: Repairs) -> list[Fields]:
    answer = said(row, wanted.columns["completion"], "assistant", repairs)
    return [*_asked(row, wanted, repairs), *answer]


def _answer(value: Any, column: str, wanted: Wanted, repairs: Repairs) -> list[Fields]:
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list) and value:
        return turns_of(value, column, repairs, SHAREGPT, wanted.spelling)
    return answer_of(value, column, repairs)


def _talk(turns: list[Fields], row: Fields, wanted: Wanted, repairs: Repairs) -> Fields:
    return _with_tools({"messages": conversation(turns, repairs)}, row, wanted)


def _with_tools(record: Fields, row: Fields, wanted: Wanted) -> Fields:
    if tools := tools_of(wanted.value(row, "tools"), wanted.columns.get("tools", "tools")):
        record["tools"] = tools
    return record
