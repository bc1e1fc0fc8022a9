"""Personal data and secrets in what is stored beside the records: the columns of the upload that
are no part of them.

A value is read with the name of its column before it, which often says what it is: a number in a
column “phone” is one that can be called.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson
import polars as pl

from backend.datasets.hygiene import id_numbers, phones, scan
from backend.datasets.hygiene.scan import Span

_WORDS = re.compile(r"[_\-.\s]+|(?<=[a-z])(?=[A-Z])")
# Times, UUIDs, checksums: nothing that belongs to a person, and in nearly every file.
_DULL = (
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,+Z -]{0,24})?|1[0-9]{12}(?:[0-9]{3})?"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-f]{24,128})$"
)
# Too short for anything that is not called what it is: counts, ids, seconds, scores.
_SHORT_NUMBER = r"^-?(?:[0-9]{1,12}|[0-9]{1,12}\.[0-9]{1,20})$"
MAX_CHARACTERS = 100_000


class Beside(NamedTuple):
    """Something found: in which row of the piece, in which column, and in which text."""

    place: int
    column: str
    text: str
    span: Span


def find(extras: Sequence[bytes | None]) -> Iterator[Beside]:
    """What is in the columns beside some records (each a JSON object or None)."""
    whole = pl.Series([None if e is None else e.decode() for e in extras], dtype=pl.String)
    columns: dict[str, tuple[list[int], list[Any]]] = {}
    for place, _looks in scan.candidates(whole):
        for column, value in orjson.loads(extras[place] or b"{}").items():
            if value is not None and not isinstance(value, bool):
                places, values = columns.setdefault(column, ([], []))
                places.append(place)
                values.append(value)
    for column, (places, values) in columns.items():
        yield from _in_column(column, places, values)


def _in_column(column: str, places: list[int], values: list[Any]) -> Iterator[Beside]:
    label = _WORDS.sub(" ", column)
    plain = pl.Series([_text(value) for value in values], dtype=pl.String)
    dull = plain.str.contains(_DULL)
    if not (phones.is_name(label) or id_numbers.is_name(label)):
        dull |= plain.str.contains(_SHORT_NUMBER)
    texts = [f"{label}: {text}" for text in plain]
    for number, looks in scan.candidates(pl.Series(texts, dtype=pl.String)):
        is_text = not isinstance(values[number], int | float)  # a number of tokens is no secret
        wanted = (looks[0], looks[1] and not dull[number], looks[2] and is_text)
        if any(wanted):
            for span in scan.spans(texts[number], wanted):
                yield Beside(places[number], column, texts[number], span)


def _text(value: Any) -> str:
    """A value as text, its beginning; lists and objects as JSON."""
    if isinstance(value, list | dict):
        value = orjson.dumps(value).decode()
    return str(value)[:MAX_CHARACTERS]
