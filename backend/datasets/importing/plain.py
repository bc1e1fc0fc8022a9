"""Rows that are as they should be, read and written by compiled code: several times faster.

Most rows of most files are plain: known columns, texts where texts belong, turns that alternate.
A block of lines of which every one is plain becomes records here. Any doubt, and the whole block
goes the long way (`batch.convert`), which alone judges what is wrong and what is repaired; for
plain rows both ways give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec
import orjson
from msgspec import UNSET

from backend.datasets.importing.shapes import NotPlain, Record, Shape
from backend.datasets.readers.strict_json import may_hide_keys, num_keys
from backend.datasets.rows import MAX_ROW_BYTES

KEYS_OF_A_TURN = 2
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class PlainRows:
    """A block of plain rows: canonical JSON and what stood beside it, the records themselves, and
    the values of each column that rows have."""

    records: list[bytes]
    extras: list[bytes | None]
    kept: list[Record]
    columns: dict[str, list[Any]] = field(default_factory=dict)


def read(block: bytes, shape: Shape) -> PlainRows | None:
    """The rows of whole lines of JSON; None when one of them may not be plain."""
    if len(block) >= MAX_ROW_BYTES or may_hide_keys(block):
        return None
    try:
        rows = shape.decoder.decode_lines(block)
        records = list(map(shape.record, rows))
        extras = _extras(rows, shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, NotPlain, TypeError):
        return None  # not even JSON, other types, or numbers beyond 64 bits
    if len(rows) != block.count(b"\n") + (not block.endswith(b"\n")):
        return None  # empty lines have numbers too
    columns = _columns(rows, shape)
    keys = sum(map(len, columns.values()))
    if shape.turns is not None:
        keys += KEYS_OF_A_TURN * sum(map(len, columns[shape.turns]))
    if keys != num_keys(block):
        return None
    return PlainRows(list(map(_encode, records)), extras, records, columns)


def _columns(rows: Sequence[Any], shape: Shape) -> dict[str, list[Any]]:
    """Values by the name of the column, without those of rows that lack it."""
    found = {}
    for attribute, name, needed in shape.attributes:
        values = list(map(attrgetter(attribute), rows))
        found[name] = values if needed else [each for each in values if each is not UNSET]
    return found


def _extras(rows: Sequence[Any], shape: Shape) -> list[bytes | None]:
    """What rows have beside the record, by name."""
    if not shape.others:
        return [None] * len(rows)
    names = [name for _, name in shape.others]
    values_of = [attrgetter(attribute) for attribute, _ in shape.others]
    found: list[bytes | None] = []
    for row in rows:
        values = zip(names, [value_of(row) for value_of in values_of], strict=True)
        extra = {k: v for k, v in values if v is not UNSET and v is not None and v != ""}
        found.append(orjson.dumps(extra) if extra else None)
    return found
