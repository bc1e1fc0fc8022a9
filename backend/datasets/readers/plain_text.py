"""Plain text: one document per block of lines, parted by empty lines, or one per file."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from backend.datasets.readers import lines
from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import MAX_ROW_BYTES, RawRow, RowError

_MARKS = re.compile(b"^" + codecs.BOM_UTF8, re.MULTILINE)


def read(path: Path, encoding: Encoding, one_document: bool = False) -> Iterator[RawRow]:
    """Every block as `{"text": …}`; with `one_document` the file is a single one."""
    block: list[lines.Line] = []
    size = 0
    for line in lines.read(path, encoding):
        if line.content.strip() or line.error or (one_document and block):
            block.append(line)
            size += len(line.content)
            if size < MAX_ROW_BYTES:
                continue
        if block:
            yield _row(block, size)
        block, size = [], 0
    if block:
        yield _row(block, size)


def _row(block: list[lines.Line], size: int) -> RawRow:
    raw = b"".join(line.content for line in block)
    row = RawRow(block[0].number, block[0].offset, raw)
    row.error = next((line.error for line in block if line.error), None)
    if row.error is None and size >= MAX_ROW_BYTES:
        row.error = RowError("row_too_long", "text", "A block without an empty line is too long.")
    if codecs.BOM_UTF8 in raw and _MARKS.search(raw):
        raw = _MARKS.sub(b"", raw)
        row.repairs.append(lines.mark_removed())
    if row.error is None:
        try:
            row.fields = {"text": raw.decode().replace("\r\n", "\n").strip("\n")}
        except UnicodeDecodeError as error:
            row.error = lines.undecodable("utf-8", error.start)
    return row
