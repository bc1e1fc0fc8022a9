"""Columns that a person has named: which is the prompt, the answer, the text, the label."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from backend.datasets.importers import mapped_records as records
from backend.datasets.importers.importer import Fields, Importer, Repairs, refuse_media
from backend.datasets.importers.mapped_records import Wanted
from backend.datasets.importers.turns import CALL, ROLES, USUAL, Spelling
from backend.datasets.rows import UnreadableFile
from training_engine.contract.names import RecordType

# What each kind of record needs, and what it may have besides.
PARTS: Mapping[RecordType, tuple[frozenset[str], frozenset[str]]] = {
    RecordType.CONVERSATIONAL: (frozenset({"messages"}), frozenset({"system", "tools"})),
    RecordType.PROMPT_COMPLETION: (
        frozenset({"prompt", "completion"}),
        frozenset({"input", "system", "history", "tools"}),
    ),
    RecordType.LANGUAGE_MODELING: (frozenset({"text"}), frozenset()),
    RecordType.CLASSIFICATION: (frozenset({"label"}), frozenset({"text", "messages"})),
    RecordType.PREFERENCE: (
        frozenset({"chosen", "rejected"}),
        frozenset({"prompt", "input", "messages", "system", "history", "tools"}),
    ),
    RecordType.UNPAIRED_PREFERENCE: (
        frozenset({"label"}),
        frozenset({"prompt", "input", "completion", "messages", "system", "history", "tools"}),
    ),
    RecordType.STEPWISE_SUPERVISION: (
        frozenset({"prompt", "completions", "labels"}),
        frozenset({"input", "system"}),
    ),
}
# Of these sets exactly one is needed: the same thing can be said in two ways.
_EITHER: Mapping[RecordType, tuple[frozenset[str], frozenset[str]]] = {
    RecordType.CLASSIFICATION: (frozenset({"text"}), frozenset({"messages"})),
    RecordType.UNPAIRED_PREFERENCE: (
        frozenset({"prompt", "completion"}),
        frozenset({"messages"}),
    ),
}
_MAKERS: Mapping[RecordType, Callable[[Fields, Wanted, Repairs], Fields]] = {
    RecordType.CONVERSATIONAL: records.conversational,
    RecordType.PROMPT_COMPLETION: records.prompt_completion,
    RecordType.LANGUAGE_MODELING: records.language_modeling,
    RecordType.CLASSIFICATION: records.classification,
    RecordType.PREFERENCE: records.preference,
    RecordType.UNPAIRED_PREFERENCE: records.unpaired_preference,
    RecordType.STEPWISE_SUPERVISION: records.stepwise_supervision,
}
_ROLE_TAGS = {
    "user": "user",
    "assistant": "assistant",
    "observation": "tool",
    "function_call": CALL,
    "system": "system",
}


def wrong_parts(record_type: str, parts: set[str]) -> str | None:
    """What is wrong with naming these parts for this kind of record; None when nothing is."""
    kind = RecordType(record_type)
    needed, optional = PARTS[kind]
    if missing := sorted(needed - parts):
        return f"{record_type} needs a column for: {', '.join(missing)}."
    if extra := sorted(parts - needed - optional):
        return f"{record_type} has no: {', '.join(extra)}."
    if kind in _EITHER:
        first, second = _EITHER[kind]
        words = " and ".join(sorted(first, reverse=True))
        if parts & first and parts & second:
            return f"{record_type} has either {words} or {', '.join(second)}, not both."
        if not first <= parts and not second <= parts:
            return f"{record_type} needs a column for: {words} (or {', '.join(second)} instead)."
    if kind is RecordType.PREFERENCE and {"prompt", "messages"} <= parts:
        return f"{record_type} has either prompt or messages, not both."
    if ("input" in parts or "history" in parts) and "prompt" not in parts:
        return f"{record_type} has input and history only beside a prompt."
    return None


def wrong_mapping(mapping: Mapping[str, Any]) -> str | None:
    """What is wrong with a whole mapping, whatever the file; None when nothing is."""
    kind = RecordType(mapping["record_type"])
    columns: dict[str, str] = mapping["columns"]
    classes = mapping.get("label_columns")
    if classes and kind is not RecordType.CLASSIFICATION:
        return f"{kind} has no classes, so there are no columns of them."
    if classes and "label" in columns:
        return f"{kind} has either a label or columns of classes, not both."
    if reason := wrong_parts(kind, {*columns, "label"} if classes else set(columns)):
        return reason
    named = [column for _, column in named_columns(mapping)]
    if len(set(named)) < len(named):
        twice = next(column for column in named if named.count(column) > 1)
        return f"the column “{twice}” is named for two parts; each needs its own."
    if mapping.get("label_true") is not None and not {"label", "labels"} & set(columns):
        return f"{kind} has no label, so there is no value that means good."
    if mapping.get("label_true") is not None and kind is RecordType.CLASSIFICATION:
        return "label_true is for answers that are good or bad, not for classes."
    tags = {name: tag for name, tag in (mapping.get("tags") or {}).items() if tag}
    roles = [tag for name, tag in tags.items() if name in _ROLE_TAGS]
    if len(set(roles)) < len(roles):
        return "two roles have the same name in the tags; each needs its own."
    if tags.get("role") is not None and tags.get("role") == tags.get("content"):
        return "the tags name one key for role and content; each needs its own."
    return None


def named_columns(mapping: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every column that a mapping names, with the part that it is."""
    return [
        *mapping["columns"].items(),
        *(("label", column) for column in mapping.get("label_columns") or ()),
    ]


def importer(mapping: Mapping[str, Any]) -> Importer:
    """The importer for a mapping that `wrong_mapping` has nothing against."""
    record_type = RecordType(mapping["record_type"])
    columns: dict[str, str] = mapping["columns"]
    wanted = Wanted(
        columns,
        mapping.get("system_text") or "",
        spelling_of(mapping.get("tags")),
        mapping.get("label_true"),
        tuple(mapping.get("label_columns") or ()),
    )
    named = frozenset(column for _, column in named_columns(mapping))
    make = _MAKERS[record_type]

    def convert(row: Fields, repairs: Repairs) -> Fields:
        refuse_media(row)
        return make(row, wanted, repairs)

    return Importer(
        "mapped",
        record_type,
        "you said which column is what",
        lambda row: not named.isdisjoint(row),
        convert,
        named,
    )


def spelling_of(tags: Mapping[str, str | None] | None) -> Spelling:
    """How turns are written where a person, or a `dataset_info.json`, says it."""
    given = {name: tag for name, tag in (tags or {}).items() if tag}
    if not given:
        return USUAL
    roles = {tag: _ROLE_TAGS[name] for name, tag in given.items() if name in _ROLE_TAGS}
    plain = all(ROLES.get(said) == role for said, role in roles.items())
    if plain and not {"role", "content"} & given.keys():
        return USUAL
    return Spelling(given.get("role"), given.get("content"), roles)


def require_columns(mapping: Mapping[str, Any], seen: Collection[str]) -> None:
    """Raise `UnreadableFile` for a column that the file does not have."""
    if missing := missing_column(mapping, seen):
        part, column = missing
        raise UnreadableFile(
            "unknown_column",
            f"The file has no column “{column}” ({part}).",
            f"Choose among: {', '.join(list(seen)[:20])}.",
            params={"column": column},
        )


def missing_column(mapping: Mapping[str, Any], seen: Collection[str]) -> tuple[str, str] | None:
    """The first part whose column is not among those of the file, with the column.

    LLaMA-Factory reads an input from “input” unless it is told otherwise, and many a file has
    none: that one may be missing.
    """
    return next(
        (
            (part, column)
            for part, column in named_columns(mapping)
            if column not in seen and (part, column) != ("input", "input")
        ),
        None,
    )
