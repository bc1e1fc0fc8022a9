"""Rows as they are stored: columns of Arrow, and the JSON lines that address the content.

Packing is most of the work of writing rows, so it is done where they are converted, in another
process; the table then travels as a file that is mapped, not copied.
"""

from itertools import chain, starmap
from pathlib import Path

import numpy as np
import pyarrow as pa

from backend.datasets.versions.rows import Rows
from training_engine.contract.record_lines import json_line

SPLIT = "split"
SCHEMA = pa.schema(
    [
        pa.field("record", pa.large_string(), nullable=False),
        pa.field("line", pa.int64()),
        pa.field("extra", pa.large_string()),
        pa.field(SPLIT, pa.string()),
    ]
)
# Beside those of the version, while it is made: what is hashed.
JSON_LINE = "json_line"
_PACKED = SCHEMA.append(pa.field(JSON_LINE, pa.large_binary(), nullable=False))
_EMPTY = b"{}"


def pack(rows: Rows) -> pa.Table:
    """A table with the columns of `SCHEMA` and `json_line`, each in one piece."""
    number = len(rows.records)
    columns = [
        _one_buffer(rows.records, pa.large_string()),
        pa.array(rows.lines, pa.int64()),
        pa.array(rows.extras, pa.large_binary()).view(pa.large_string()),
        pa.array(rows.splits or [None] * number, pa.string()),
        _json_lines(rows),
    ]
    return pa.Table.from_arrays(columns, schema=_PACKED)


def _one_buffer(values: list[bytes], kind: pa.DataType) -> pa.Array:
    """Values behind each other; text is UTF-8 that was made here and need not be checked again."""
    return _array(b"".join(values), list(map(len, values)), kind)


def _array(content: bytes, sizes: list[int], kind: pa.DataType) -> pa.Array:
    ends = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(content)]
    return pa.Array.from_buffers(kind, len(sizes), buffers)


def _json_lines(rows: Rows) -> pa.Array:
    """What `json_line` makes of each row."""
    columns = (rows.records, rows.lines, rows.extras)
    if None in rows.lines or _EMPTY in rows.records:
        return _one_buffer(list(map(json_line, *columns)), pa.large_binary())
    begins = [record[:-1] for record in rows.records]
    ends = list(starmap(_end, zip(rows.lines, rows.extras, strict=True)))
    sizes = [len(a) + len(b) for a, b in zip(begins, ends, strict=True)]
    content = b"".join(chain.from_iterable(zip(begins, ends, strict=True)))
    return _array(content, sizes, pa.large_binary())


def _end(line: int, extra: bytes | None) -> bytes:
    """The rest of a JSON line behind all of the record but its last brace."""
    if extra is None:
        return b',"meta":{"line":%d}}\n' % line
    return b',"meta":{"line":%d,"extra":%b}}\n' % (line, extra)


def save(table: pa.Table, path: Path) -> None:
    """Write a packed table for another process of this machine."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def load(path: Path) -> pa.Table:
    """Map a saved table into memory; the file may be removed at once."""
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def json_lines(table: pa.Table) -> tuple[pa.Buffer, pa.Array]:
    """All JSON lines of a packed table behind each other, and the array of them."""
    lines = table[JSON_LINE].chunk(0)
    return lines.buffers()[2], lines
