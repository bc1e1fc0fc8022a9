"""Judged answers: good or bad as a whole (KTO), or step by step."""

from typing import Any

from backend.datasets.importers import sharegpt
from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    has,
    required_text,
    text_of,
)
from backend.datasets.importers.openai_messages import turns_of
from backend.datasets.importers.turns import conversation
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType

_VERDICTS = {
    **dict.fromkeys(("true", "1", "good", "yes", "thumbs_up", "up", "👍", "desirable"), True),
    **dict.fromkeys(("false", "0", "bad", "no", "thumbs_down", "down", "👎", "undesirable"), False),
}


def verdict_of(value: Any) -> bool | None:
    """Good or bad in its usual spellings; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        return _VERDICTS.get(str(value).strip().lower().replace(" ", "_"))
    return None


def _matches_unpaired(row: Fields) -> bool:
    if "kto_tag" in row:
        return True
    if has(row, "prompt", "completion"):
        return verdict_of(row.get("label")) is not None
    return isinstance(row.get("label"), bool) and "messages" in row


def _convert_unpaired(row: Fields, repairs: Repairs) -> Fields:
    field = "kto_tag" if "kto_tag" in row else "label"
    verdict = verdict_of(row.get(field))
    if verdict is None:
        raise RowError("missing_label", field, f"“{field}” must say true or false.")
    if "conversations" in row:
        turns = sharegpt.turns_of(row, repairs)
    elif "messages" in row:
        turns = turns_of(row["messages"], "messages", repairs)
    else:
        turns = []
        for name, role, rule in (
            ("prompt", "user", "missing_prompt"),
            ("completion", "assistant", "missing_answer"),
        ):
            if isinstance(row.get(name), list):
                turns += turns_of(row[name], name, repairs)
            else:
                turns.append({"role": role, "content": required_text(row, name, rule, repairs)})
    return {"messages": conversation(turns, repairs), "label": verdict}


def _convert_steps(row: Fields, repairs: Repairs) -> Fields:
    """Each step is a turn of the assistant; `label` has 1 for a right step and 0 for a wrong."""
    steps, labels = row.get("completions"), row.get("labels")
    if not isinstance(steps, list) or not isinstance(labels, list) or len(steps) != len(labels):
        raise RowError("wrong_type", "labels", "There must be one label for each completion.")
    verdicts = [verdict_of(label) for label in labels]
    if not steps or None in verdicts:
        raise RowError("missing_label", "labels", "Every step needs a label true or false.")
    prompt = required_text(row, "prompt", "missing_prompt", repairs)
    messages = [{"role": "user", "content": prompt}]
    for number, step in enumerate(steps):
        content = text_of(step, f"completions[{number}]", repairs)
        messages.append({"role": "assistant", "content": content})
    return {"messages": messages, "label": [float(bool(v)) for v in verdicts]}


UNPAIRED_PREFERENCE = Importer(
    "unpaired_preference",
    RecordType.UNPAIRED_PREFERENCE,
    "the rows have an answer and a verdict about it",
    _matches_unpaired,
    _convert_unpaired,
    frozenset(("prompt", "completion", "messages", "conversations", "system", "label", "kto_tag")),
)
STEPWISE_SUPERVISION = Importer(
    "stepwise_supervision",
    RecordType.STEPWISE_SUPERVISION,
    "the rows have “completions” and “labels”",
    lambda row: has(row, "completions", "labels"),
    _convert_steps,
    frozenset(("prompt", "completions", "labels")),
)
