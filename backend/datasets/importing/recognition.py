"""What a file is: first the kind of file, then the format family of its rows.

The order of `FAMILIES` is the order in which fields are looked for. What two families claim, or
none, is not guessed: the user says which column is what.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.datasets.importers import (
    alpaca,
    classification,
    feedback,
    mapped,
    named_pairs,
    openai_messages,
    preference,
    preference_variants,
    prompt_completion,
    segments,
    sharegpt,
    text,
)
from backend.datasets.importers.importer import Fields, Importer
from backend.datasets.importers.letter_case import any_case, respelt, told
from backend.datasets.importing.doubts import reason_to_ask, refuse_unlearnable, why_none

FAMILIES: tuple[Importer, ...] = (
    preference_variants.OPENAI_PREFERENCE,
    preference.PREFERENCE,
    preference_variants.REJECTED_RESPONSE,
    preference_variants.RANKED,
    preference_variants.VERTEX,
    feedback.UNPAIRED_PREFERENCE,
    feedback.STEPWISE_SUPERVISION,
    classification.MESSAGES_LABEL,
    openai_messages.ANSWERS_ONLY,
    openai_messages.IMPORTER,
    sharegpt.IMPORTER,
    prompt_completion.PROMPT_COMPLETION,
    alpaca.IMPORTER,
    *named_pairs.IMPORTERS,
    prompt_completion.QUERY_RESPONSE,
    classification.IMPORTER,
    classification.LABEL_COLUMNS,
    segments.IMPORTER,
    text.IMPORTER,
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
    return any_case(_family(name))


def _family(name: str) -> Importer:
    return next(family for family in FAMILIES if family.name == name)


def family_of(row: Fields) -> Importer | None:
    """The first family that claims the row."""
    row = respelt(row)
    return next((family for family in FAMILIES if family.matches(row)), None)


def recognise(rows: Sequence[Fields]) -> Recognised:
    """The format family of a sample of rows.

    Raises `UnreadableFile` for rows that nothing here can learn from, however they are mapped.
    """
    own, rows = rows, [respelt(row) for row in rows]
    refuse_unlearnable(rows)
    votes = Counter(family.name if (family := family_of(row)) else "" for row in rows)
    ranking = [(name, count) for name, count in votes.most_common() if name]
    if not ranking:
        return Recognised(None, why_none(rows))
    name, _ = ranking[0]
    if sum(count for _, count in ranking[1:]) > STRAY_SHARE * len(rows):
        names = ", ".join(found for found, _ in ranking)
        return Recognised(None, f"the rows are of several formats: {names}")
    family = _family(name)
    if doubt := reason_to_ask(family, [row for row in rows if family.matches(row)]):
        return Recognised(None, doubt)
    return Recognised(any_case(family), f"{family.because}{told(family, own)}")
