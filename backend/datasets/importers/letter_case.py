"""Columns that have a usual name but for the case of its letters: `Prompt`, `INPUT`, `Tool_Calls`.

A row is looked at as if they had the usual names, and keeps its own for what is not used of it.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from backend.datasets.importers.conversation import TOOLS
from backend.datasets.importers.importer import MEDIA, Fields, Importer, Repairs
from backend.datasets.importers.questions import (
    ANSWER_NAMES,
    CONTEXT_NAMES,
    PROMPT_NAMES,
    SYSTEM_NAMES,
)
from backend.datasets.importers.text import TARGETS

_NAMES = (
    *PROMPT_NAMES,
    *ANSWER_NAMES,
    *SYSTEM_NAMES,
    *CONTEXT_NAMES,
    *TARGETS,
    *TOOLS,
    *MEDIA,
    *("messages", "conversations", "conversation", "history", "segments", "generation"),
    *("chosen", "rejected", "chosen_response", "rejected_response", "rejected_text"),
    *("rejected_messages", "preferred_output", "non_preferred_output", "kto_tag"),
    *("label", "completions"),
)
# As people and their programs write them; a set, so that a row is looked at in an instant.
_USUAL = {
    spelt: name for name in _NAMES for spelt in (name.capitalize(), name.title(), name.upper())
}
SPELLINGS = frozenset(_USUAL)
# These two together are a format of their own.
_OASST = frozenset(("INSTRUCTION", "RESPONSE"))


def usual_names(columns: Collection[str]) -> dict[str, str]:
    """Column → the usual name that it stands for, where no other column may be meant."""
    own = _OASST if set(columns) >= _OASST else frozenset()
    found = {column: _USUAL[column] for column in columns if column in SPELLINGS - own}
    times = Counter(found.values())
    return {
        column: name for column, name in found.items() if times[name] == 1 and name not in columns
    }


def respelt(row: Fields) -> Fields:
    """The row with usual names for its columns."""
    if SPELLINGS.isdisjoint(row) or not (names := usual_names(row)):
        return row
    return {names.get(column, column): value for column, value in row.items()}


def any_case(family: Importer) -> Importer:
    """The importer of a family, for rows whose columns may be respelt."""

    def convert(row: Fields, repairs: Repairs) -> Fields:
        return family.convert(row if SPELLINGS.isdisjoint(row) else respelt(row), repairs)

    def uses(row: Fields) -> Collection[str]:
        if SPELLINGS.isdisjoint(row) or not (names := usual_names(row)):
            return family.uses(row)
        used = family.used.union(family.uses(respelt(row)))
        return [column for column in row if names.get(column, column) in used]

    return replace(
        family, convert=convert, uses=uses, matches=lambda row: family.matches(respelt(row))
    )


def told(family: Importer, rows: Iterable[Fields]) -> str:
    """Which columns of the rows are read under another name, as the rest of a sentence; empty when
    none is."""
    found: dict[str, str] = {}
    for row in rows:
        if not SPELLINGS.isdisjoint(row):
            used = family.used.union(family.uses(respelt(row)))
            found |= {column: name for column, name in usual_names(row).items() if name in used}
    return "".join(f"; “{column}” is read as “{name}”" for column, name in found.items())
