"""JSON lines: one object per line; empty lines are not rows.

What files bring that were put together from several is mended: a byte order mark before a row, a
comma behind it.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path

from backend.datasets.readers import lines, strict_json
from backend.datasets.readers.chunks import HEAD_BYTES, Chunk, chunks
from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import MAX_ROW_BYTES, RawRow, Repair, RowError


def read(path: Path, encoding: Encoding) -> Iterator[RawRow]:
    """Every row, broken ones with their error; memory stays flat."""
    if can_be_cut(encoding):
        for chunk in chunks(path, encoding.skip_bytes):
            yield from rows_of(chunk, encoding.codec)
        return
    for number, offset, content, error in lines.read(path, encoding):
        if error is not None or content.strip():
            yield _row(number, offset, content, error)


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
                yield _row(number, offset, raw)
            else:
                yield _row(*lines.decoded(lines.Line(number, offset, raw), codec))
        number += 1
        offset += len(raw) + 1


def _row(number: int, offset: int, content: bytes, error: RowError | None = None) -> RawRow:
    if error is None:
        try:
            fields = strict_json.parse(content)
            if type(fields) is dict:
                return RawRow(number, offset, content, fields)
            error = not_an_object(fields)
        except RowError as broken:
            if broken.rule == "broken_json" and (mended := _mended(number, offset, content)):
                return mended
            error = broken
    return RawRow(number, offset, content, None, error)


def _mended(number: int, offset: int, content: bytes) -> RawRow | None:
    """The row without what does not belong to it; None when that is not what is wrong."""
    inner, repairs = content, []
    if inner.startswith(codecs.BOM_UTF8):
        inner = inner.removeprefix(codecs.BOM_UTF8)
        repairs.append(mark_removed())
    if inner.rstrip().endswith(b","):
        inner = inner.rstrip()[:-1]
        repairs.append(Repair("comma_removed", None, "A comma behind the row was left out."))
    if not repairs:
        return None
    row = _row(number, offset, inner)
    row.repairs += repairs
    return row if row.error is None or row.error.rule != "broken_json" else None


def mark_removed() -> Repair:
    """A mark that only belongs to the beginning of a file stood before a row."""
    message = "A byte order mark before the row was left out: the file is made of several."
    return Repair("byte_order_mark_removed", None, message)


def not_an_object(value: object) -> RowError:
    """A row must be an object with named fields."""
    kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    what = kind.get(type(value), "a number")
    return RowError("not_an_object", None, f"A row must be an object {{…}}, this is {what}.")
