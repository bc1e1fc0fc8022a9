"""Rows that are as they should be, read and written by compiled code: several times faster.

Most rows of most files are plain: known columns, texts where texts belong, turns that alternate.
A block of lines of which every one is plain becomes records here. Any doubt, and the whole block
goes the long way (`batch.convert`), which alone judges what is wrong and what is repaired; for
plain rows both ways give the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import msgspec
import numpy as np
import orjson
from msgspec import UNSET
from numpy.typing import NDArray

from backend.datasets.importing.shapes import NotPlain, Record, Shape
from backend.datasets.readers.strict_json import may_hide_keys
from backend.datasets.rows import MAX_ROW_BYTES

KEYS_OF_A_TURN = 2
LINE_FEED, SPACE, QUOTE, COLON, BACKSLASH = b'\n ":\\'
# So many of them in a row are not counted.
MAX_BACKSLASHES = 256
# All encoders write these alike, and numbers with a point in different ways.
SIMPLE = {int, str, bool}
_encode_lines = msgspec.json.Encoder().encode_lines


@dataclass(slots=True)
class PlainRows:
    """A block of plain rows: canonical JSON, each with a line feed, and what stood beside it, the
    records themselves, and the values of each column that rows have."""

    records: bytes
    extras: list[bytes | None]
    kept: list[Record]
    columns: dict[str, list[Any]] = field(default_factory=dict)


def read(block: bytes, shape: Shape) -> PlainRows | None:
    """The rows of whole lines of JSON; None when one of them may not be plain."""
    if len(block) >= MAX_ROW_BYTES:
        return None
    try:
        rows = shape.decoder.decode_lines(block)
        columns = {name: list(map(get, rows)) for get, name, _ in shape.attributes}
        parts = [columns.get(name) or repeat(UNSET) for name in shape.parts]
        records = list(map(shape.record, *parts))
        extras = _extras(columns, shape, len(rows))
    except (msgspec.MsgspecError, UnicodeDecodeError, NotPlain, TypeError):
        return None  # not even JSON, other types, or numbers beyond 64 bits
    text = np.frombuffer(block, np.uint8)
    if len(rows) != np.count_nonzero(text == LINE_FEED) + (not block.endswith(b"\n")):
        return None  # empty lines have numbers too
    for _, name, needed in shape.attributes:
        if not needed:
            columns[name] = [value for value in columns[name] if value is not UNSET]
    keys = sum(map(len, columns.values()))
    if shape.turns is not None:
        keys += KEYS_OF_A_TURN * sum(map(len, columns[shape.turns]))
    if keys != _num_keys(block, text):
        return None
    return PlainRows(_encode_lines(records), extras, records, columns)


def _num_keys(block: bytes, text: NDArray[np.uint8]) -> int | None:
    """Number of keys in a block of valid JSON, as `strict_json.num_keys` counts them, some times
    as fast; None when the bytes before a colon leave a doubt."""
    colons = np.flatnonzero(text == COLON)
    before = text[colons - 1]
    if np.any(before <= SPACE) and may_hide_keys(block):
        return None
    quoted = colons[before == QUOTE]
    escaped = quoted[text[quoted - 2] == BACKSLASH]
    several = escaped[text[escaped - 3] == BACKSLASH]
    in_a_row = [_backslashes_before(block, int(colon) - 1) for colon in several]
    if MAX_BACKSLASHES in in_a_row:
        return None
    # Pairs of them are backslashes, and the quote behind those ends a text.
    return len(quoted) - len(escaped) + sum(number % 2 == 0 for number in in_a_row)


def _backslashes_before(block: bytes, place: int) -> int:
    """How many there are in a row, up to `MAX_BACKSLASHES`."""
    before = block[max(0, place - MAX_BACKSLASHES) : place]
    return len(before) - len(before.rstrip(b"\\"))


def _extras(columns: Mapping[str, list[Any]], shape: Shape, rows: int) -> list[bytes | None]:
    """What rows have beside the record, by name."""
    if not shape.others:
        return [None] * rows
    beside = [columns[name] for name in shape.others]
    types = set(chain.from_iterable(map(type, values) for values in beside))
    if types <= SIMPLE and not any("" in values for values in beside):
        lines: list[bytes | None] = []
        lines += _encode_lines(list(map(shape.extra, *beside))).split(b"\n")
        lines.pop()
        return lines
    found: list[bytes | None] = []
    for values in zip(*beside, strict=True):
        named = zip(shape.others, values, strict=True)
        extra = {k: v for k, v in named if v is not UNSET and v is not None and v != ""}
        found.append(orjson.dumps(extra) if extra else None)
    return found
