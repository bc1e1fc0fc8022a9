"""JSON lines: one object per line; empty lines are not rows.

What files bring that were put together from several is mended: a byte order mark before a row, a
comma behind it, a second row on its line.
"""

import codecs
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from backend.datasets.readers import lines, strict_json
from backend.datasets.readers.chunks import HEAD_BYTES, Chunk, chunks
from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import MAX_ROW_BYTES, RawRow, Repair, RowError

# More are no accident, and all of them are in memory.
MAX_ROWS_ON_A_LINE = 1000
# What may stand between objects without meaning anything.
_BETWEEN = f" \t\r\n,{lines.MARK}"


def read(path: Path, encoding: Encoding) -> Iterator[RawRow]:
    """Every row, broken ones with their error; memory stays flat."""
    if can_be_cut(encoding):
        for chunk in chunks(path, encoding.skip_bytes):
            yield from rows_of(chunk, encoding.codec)
        return
    for number, offset, content, error in lines.read(path, encoding):
        if error is not None or content.strip():
            yield from _rows(number, offset, content, error)


def can_be_cut(encoding: Encoding) -> bool:
    """Whether the byte of a line feed is always a line feed, so that pieces are whole lines."""
    return not encoding.codec.startswith("utf-16")


def rows_of(chunk: Chunk, codec: str) -> Iterator[RawRow]:
    """The rows of a piece of the file."""
    number, offset, data, is_cut = chunk
    if is_cut:
        yield RawRow(number, offset, data, error=lines.too_long())
        return
    utf8 = codec == "utf-8"
    for raw in data.split(b"\n"):
        if raw and not raw.isspace():
            if len(raw) >= MAX_ROW_BYTES:
                yield RawRow(number, offset, raw[:HEAD_BYTES], error=lines.too_long())
            elif utf8:
                yield from _rows(number, offset, raw)
            else:
                yield from _rows(*lines.decoded(lines.Line(number, offset, raw), codec))
        number += 1
        offset += len(raw) + 1


def _rows(
    number: int, offset: int, content: bytes, error: RowError | None = None
) -> Iterable[RawRow]:
    """The row of a line: one, unless several stand on it or nothing but a mark does."""
    if error is None:
        try:
            fields = strict_json.parse(content)
            if type(fields) is dict:
                return (RawRow(number, offset, content, fields),)
            error = not_an_object(fields)
        except RowError as broken:
            if not content.replace(codecs.BOM_UTF8, b"").strip():
                return ()
            if broken.rule == "broken_json" and (mended := _mended(number, offset, content)):
                return mended
            error = broken
    return (RawRow(number, offset, content, None, error),)


def _mended(number: int, offset: int, content: bytes) -> list[RawRow]:
    """The rows of a line that holds whole objects and what does not belong to them; none when
    there is anything else on it."""
    rows: list[RawRow] = []
    try:
        text, decoder, at = content.decode(), json.JSONDecoder(), 0
        while (start := _next_object(text, at)) is not None:
            _, end = decoder.raw_decode(text, start)
            (row,) = _rows(number, offset, text[start:end].encode())
            row.repairs += _removed(text[at:start])
            if rows:
                message = "Another row stood before it on the same line."
                row.repairs.append(Repair("line_divided", None, message))
            rows.append(row)
            at = end
            if len(rows) > MAX_ROWS_ON_A_LINE:
                return []
    except (ValueError, RecursionError):  # no text, no JSON, a number of thousands of digits
        return []
    rest = text[at:]
    if not rows or rest.strip(_BETWEEN):
        return []
    rows[-1].repairs += _removed(rest)
    return rows


def _next_object(text: str, at: int) -> int | None:
    """Where the next object begins, when there is nothing but marks and commas before it."""
    start = text.find("{", at)
    return None if start < 0 or text[at:start].strip(_BETWEEN) else start


def _removed(between: str) -> list[Repair]:
    """What is said of characters that belong to no row."""
    repairs = []
    if lines.MARK in between:
        repairs.append(lines.mark_removed())
    if "," in between:
        repairs.append(Repair("comma_removed", None, "A comma beside the row was left out."))
    return repairs


def not_an_object(value: object) -> RowError:
    """A row must be an object with named fields."""
    kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    what = kind.get(type(value), "a number")
    return RowError("not_an_object", None, f"A row must be an object {{…}}, this is {what}.")
