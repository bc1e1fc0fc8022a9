"""Judged answers: good or bad as a whole (KTO), or step by step."""

from collections.abc import Collection
from typing import Any

from backend.datasets.importers.alpaca import answer_name
from backend.datasets.importers.conversation import TOOLS, talk
from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    from_json,
    has,
    refuse_media,
    text_of,
)
from backend.datasets.importers.openai_messages import answered
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
from backend.datasets.importers.sharegpt import told_turns
from backend.datasets.importers.turns import turns_of
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType

_VERDICTS = {
    **dict.fromkeys(("true", "1", "1.0", "good", "yes", "desirable", "positive"), True),
    **dict.fromkeys(("thumbs_up", "thumbsup", "thumb_up", "up", "👍", "+1"), True),
    **dict.fromkeys(("false", "0", "0.0", "bad", "no", "undesirable", "negative"), False),
    **dict.fromkeys(("thumbs_down", "thumbsdown", "thumb_down", "down", "👎", "-1"), False),
}
_SKIN_TONES = dict.fromkeys(range(0x1F3FB, 0x1F400))


def verdict_of(value: Any) -> bool | None:
    """Good or bad in its usual spellings; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        words = value.strip().strip(":").lower().translate(_SKIN_TONES)
        return _VERDICTS.get(words.replace(" ", "_").replace("s-", "s_"))
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


def _matches_unpaired(row: Fields) -> bool:
    if "kto_tag" in row:
        return True
    if verdict_of(row.get("label")) is None:
        return False
    if has(row, "prompt", "completion"):
        return True
    turns = next((row[k] for k in ("messages", "conversations") if k in row), None)
    return answered(turns)


def _pair(row: Fields) -> tuple[list[str], str | None]:
    """The columns of question and answer; no answer when several columns may be one."""
    if "prompt" in row and "completion" in row:
        return ["prompt"], "completion"
    if "instruction" in row and ("output" in row or "response" in row):
        return names_in(row, ("instruction", "input")), answer_name(row)
    questions, answers = names_in(row, PROMPT_NAMES), names_in(row, ANSWER_NAMES)
    return questions, answers[0] if len(questions) == len(answers) == 1 else None


def _judged(row: Fields, repairs: Repairs) -> list[Fields]:
    """The conversation whose last answer is judged."""
    if "conversations" in row:
        return told_turns(row, repairs)
    if "messages" in row:
        return [*system_turns(row, repairs), *turns_of(row["messages"], "messages", repairs)]
    questions, answer = _pair(row)
    if answer is None:
        raise RowError(
            "ambiguous_columns" if questions else "missing_prompt",
            None,
            "It is not clear which columns are the question and the answer.",
        )
    return [
        *system_turns(row, repairs),
        *history_of(row.get("history"), repairs),
        *asked(row, questions, repairs),
        *said(row, answer, "assistant", repairs),
    ]


def _convert_unpaired(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    field = "kto_tag" if "kto_tag" in row else "label"
    verdict = verdict_of(row.get(field))
    if verdict is None:
        raise RowError("missing_label", field, f"“{field}” must say true or false.")
    return {**talk(_judged(row, repairs), row, repairs), "label": verdict}


def _uses_unpaired(row: Fields) -> Collection[str]:
    used = ["kto_tag" if "kto_tag" in row else "label", system_name(row) or "system"]
    for name in ("conversations", "messages"):
        if name in row:
            return [*used, name]
    questions, answer = _pair(row)
    return [*used, *questions, answer or "", "history"]


def _stored_steps(row: Fields) -> int:
    """How many steps a canonical record ends with, as an export writes it; 0 for other rows."""
    turns, labels = row.get("messages"), row.get("label")
    if not isinstance(turns, list) or not isinstance(labels, list):
        return 0
    number = len(labels)
    if not all(type(label) in (float, bool) and label in (0, 1) for label in labels):
        return 0
    roles = [turn.get("role") if isinstance(turn, dict) else None for turn in turns]
    question, steps = roles[: len(roles) - number], roles[len(roles) - number :]
    whole = bool(question) and question[-1] == "user" and set(steps) == {"assistant"}
    return number if whole else 0


def _matches_steps(row: Fields) -> bool:
    return has(row, "completions", "labels") or _stored_steps(row) > 0


def _convert_steps(row: Fields, repairs: Repairs) -> Fields:
    """Each step is a turn of the assistant; `label` has 1 for a right step and 0 for a wrong."""
    refuse_media(row)
    if not has(row, "completions", "labels"):
        return _again(row, repairs)
    verdicts = labels_of(row.get("completions"), row.get("labels"), verdict_of)
    messages = [*system_turns(row, repairs), *said(row, "prompt", "user", repairs)]
    return steps_record(messages, row.get("completions"), verdicts, "completions", repairs)


def _uses_steps(row: Fields) -> Collection[str]:
    system = system_name(row) or "system"
    if has(row, "completions", "labels"):
        return (system,)
    # An export to Parquet has the column, without a value.
    empty = [name for name in TOOLS if row.get(name) in (None, "", [])]
    return (system, "messages", "label", *empty)


def _again(row: Fields, repairs: Repairs) -> Fields:
    """The record that was exported."""
    number = _stored_steps(row)
    if not number:
        raise RowError("missing_label", "labels", "Every step needs a label true or false.")
    question = turns_of(row["messages"][:-number], "messages", repairs)
    steps = [turn.get("content") for turn in row["messages"][-number:]]
    verdicts = [bool(label) for label in row["label"]]
    return steps_record([*system_turns(row, repairs), *question], steps, verdicts, "steps", repairs)


def labels_of(steps: Any, labels: Any, verdict: Any) -> list[bool]:
    """A verdict for each step; raises `RowError` when there are more of one or one says nothing."""
    steps, labels = from_json(steps), from_json(labels)
    if not isinstance(steps, list) or not isinstance(labels, list) or len(steps) != len(labels):
        raise RowError("wrong_type", "labels", "There must be one label for each completion.")
    verdicts = [verdict(label) for label in labels]
    if not steps or None in verdicts:
        raise RowError("missing_label", "labels", "Every step needs a label true or false.")
    return verdicts


def steps_record(
    messages: list[Fields], steps: Any, verdicts: list[bool], field: str, repairs: Repairs
) -> Fields:
    """The record of a question and judged steps; raises `RowError` for a step that is empty."""
    if not any(message["role"] == "user" and message["content"].strip() for message in messages):
        raise RowError("missing_prompt", None, "There is no question that the steps answer.")
    for number, step in enumerate(from_json(steps)):
        where = f"{field}[{number}]"
        content = text_of(step, where, repairs)
        if not content.strip():
            raise RowError("missing_answer", where, f"“{where}” is empty.")
        messages.append({"role": "assistant", "content": content})
    return {"messages": messages, "label": [float(v) for v in verdicts]}


UNPAIRED_PREFERENCE = Importer(
    "unpaired_preference",
    RecordType.UNPAIRED_PREFERENCE,
    "the rows have an answer and a verdict about it",
    _matches_unpaired,
    _convert_unpaired,
    frozenset(TOOLS),
    _uses_unpaired,
)
STEPWISE_SUPERVISION = Importer(
    "stepwise_supervision",
    RecordType.STEPWISE_SUPERVISION,
    "the rows have steps and a verdict about each",
    _matches_steps,
    _convert_steps,
    frozenset(("prompt", "completions", "labels")),
    _uses_steps,
)
