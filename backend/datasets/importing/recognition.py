"""What a file is: first the kind of file, then the format family of its rows.

The order of `FAMILIES` is the order in which fields are looked for. What two families claim, or
none, is not guessed: the user says which column is what.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from backend.datasets.importers import (
    alpaca,
    classification,
    feedback,
    mapped,
    openai_messages,
    preference,
    prompt_completion,
    sharegpt,
    text,
)
from backend.datasets.importers.importer import Fields, Importer

FAMILIES: tuple[Importer, ...] = (
    preference.OPENAI_PREFERENCE,
    preference.REJECTED_RESPONSE,
    preference.PREFERENCE,
    feedback.UNPAIRED_PREFERENCE,
    feedback.STEPWISE_SUPERVISION,
    openai_messages.IMPORTER,
    sharegpt.IMPORTER,
    prompt_completion.PROMPT_COMPLETION,
    alpaca.IMPORTER,
    prompt_completion.QUERY_RESPONSE,
    classification.IMPORTER,
    text.IMPORTER,
)
# Each of these is a whole training sample: a row that has two of them says two things.
_WHOLE_SAMPLES = (
    openai_messages.IMPORTER,
    sharegpt.IMPORTER,
    prompt_completion.PROMPT_COMPLETION,
    alpaca.IMPORTER,
)
# Rows that belong to another family than most: up to this share they are reported one by one.
STRAY_SHARE = 0.2


@dataclass(frozen=True)
class Recognised:
    """The family, or None with the reason why the user must say; `because` is a sentence."""

    importer: Importer | None
    because: str


def importer_of(name: str, mapping: Mapping[str, Any] | None) -> Importer:
    """The importer that a format's name means, or the one that a person's mapping makes."""
    if mapping is not None:
        return mapped.importer(mapping)
    return next(family for family in FAMILIES if family.name == name)


def family_of(row: Fields) -> Importer | None:
    """The first family that claims the row."""
    return next((family for family in FAMILIES if family.matches(row)), None)


def recognise(rows: Sequence[Fields]) -> Recognised:
    """The format family of a sample of rows."""
    votes = Counter(family.name if (family := family_of(row)) else "" for row in rows)
    ranking = [(name, count) for name, count in votes.most_common() if name]
    if not ranking:
        return Recognised(None, "no column has a name that says what it is")
    name, _ = ranking[0]
    if sum(count for _, count in ranking[1:]) > STRAY_SHARE * len(rows):
        names = ", ".join(found for found, _ in ranking)
        return Recognised(None, f"the rows are of several formats: {names}")
    importer = next(family for family in FAMILIES if family.name == name)
    doubt = _doubt(importer, [row for row in rows if importer.matches(row)])
    return Recognised(None, doubt) if doubt else Recognised(importer, importer.because)


def _doubt(importer: Importer, rows: Sequence[Fields]) -> str | None:
    """Why the rows may mean something else as well."""
    row = max(rows, key=len)
    if importer in _WHOLE_SAMPLES:
        for first, second in combinations(_WHOLE_SAMPLES, 2):
            if first.matches(row) and second.matches(row):
                return f"{first.because} and also what {second.name} needs"
    if importer is prompt_completion.QUERY_RESPONSE:
        context = prompt_completion.names_in(row, prompt_completion.CONTEXT_NAMES)
        if context:
            return f"“{context[0]}” may be part of the prompt"
    return None
