"""Columns that a person has named: which is the prompt, the answer, the text, the label."""

from collections.abc import Mapping
from typing import Any

from backend.datasets.importers.classification import label_of
from backend.datasets.importers.importer import (
    Fields,
    Importer,
    Repairs,
    joined,
    refuse_media,
    required_text,
    text_of,
)
from backend.datasets.importers.sharegpt import turns_of
from backend.datasets.importers.turns import conversation
from backend.datasets.rows import UnreadableFile
from training_engine.contract.names import RecordType

# What each kind of record needs, and what it may have.
PARTS: Mapping[RecordType, tuple[frozenset[str], frozenset[str]]] = {
    RecordType.CONVERSATIONAL: (frozenset({"messages"}), frozenset({"system"})),
    RecordType.PROMPT_COMPLETION: (
        frozenset({"prompt", "completion"}),
        frozenset({"input", "system"}),
    ),
    RecordType.LANGUAGE_MODELING: (frozenset({"text"}), frozenset()),
    RecordType.CLASSIFICATION: (frozenset({"text", "label"}), frozenset()),
}


def wrong_parts(record_type: str, parts: set[str]) -> str | None:
    """What is wrong with naming these parts for this kind of record; None when nothing is."""
    known = PARTS.get(RecordType(record_type))
    if known is None:
        return f"Columns can not be mapped to {record_type} yet."
    needed, optional = known
    if missing := sorted(needed - parts):
        return f"{record_type} needs a column for: {', '.join(missing)}."
    if extra := sorted(parts - needed - optional):
        return f"{record_type} has no: {', '.join(extra)}."
    return None


def importer(mapping: Mapping[str, Any]) -> Importer:
    """The importer for a mapping that `wrong_parts` has nothing against."""
    record_type = RecordType(mapping["record_type"])
    columns: dict[str, str] = mapping["columns"]
    system: str = mapping.get("system_text") or ""
    makers = {
        RecordType.CONVERSATIONAL: _conversational,
        RecordType.PROMPT_COMPLETION: _prompt_completion,
        RecordType.LANGUAGE_MODELING: _language_modeling,
        RecordType.CLASSIFICATION: _classification,
    }
    make = makers[record_type]
    return Importer(
        "mapped",
        record_type,
        "you said which column is what",
        lambda row: any(name in row for name in columns.values()),
        lambda row, repairs: make(row, columns, system, repairs),
        frozenset(columns.values()),
    )


def require_columns(mapping: Mapping[str, Any], seen: list[str]) -> None:
    """Raise `UnreadableFile` for a column that the file does not have."""
    for part, column in mapping["columns"].items():
        if column not in seen:
            raise UnreadableFile(
                "unknown_column",
                f"The file has no column “{column}” ({part}).",
                f"Choose among: {', '.join(seen[:20])}.",
                params={"column": column},
            )


def _system_turns(
    row: Fields, columns: dict[str, str], system: str, repairs: Repairs
) -> list[Fields]:
    own = (
        text_of(row.get(columns["system"]), columns["system"], repairs)
        if "system" in columns
        else ""
    )
    text = own if own.strip() else system
    return [{"role": "system", "content": text}] if text.strip() else []


def _prompt_completion(
    row: Fields, columns: dict[str, str], system: str, repairs: Repairs
) -> Fields:
    refuse_media(row)
    prompt = required_text(row, columns["prompt"], "missing_prompt", repairs)
    if "input" in columns:
        prompt = joined(prompt, text_of(row.get(columns["input"]), columns["input"], repairs))
    answer = required_text(row, columns["completion"], "missing_answer", repairs)
    turns = [
        *_system_turns(row, columns, system, repairs),
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": answer},
    ]
    return {"messages": conversation(turns, repairs)}


def _conversational(row: Fields, columns: dict[str, str], system: str, repairs: Repairs) -> Fields:
    refuse_media(row)
    turns = turns_of({"conversations": row.get(columns["messages"])}, repairs)
    if turns[0]["role"] != "system":
        turns = [*_system_turns(row, columns, system, repairs), *turns]
    return {"messages": conversation(turns, repairs)}


def _language_modeling(
    row: Fields, columns: dict[str, str], _system: str, repairs: Repairs
) -> Fields:
    return {"text": required_text(row, columns["text"], "empty_text", repairs)}


def _classification(row: Fields, columns: dict[str, str], _system: str, repairs: Repairs) -> Fields:
    text = required_text(row, columns["text"], "empty_text", repairs)
    return {"text": text, "label": label_of(row.get(columns["label"]), columns["label"])}
