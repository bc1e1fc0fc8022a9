"""Rows as they are stored: columns of Arrow, and the JSON lines that address the content.

Packing is most of the work of writing rows, so it is done where they are converted, block by block
while these are in the cache of the processor; what is made there is nowhere copied again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, starmap
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

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
LINE_FEED = 0x0A
# A row is found by reading one group: small enough to be fast, large enough to be worth one. What
# is smaller waits for others before it is written.
GROUP_BYTES = 512 * 1024
_SHORT_END, _LONG_END = b',"meta":{"line":%d}}\n', b',"meta":{"line":%d,"extra":%b}}\n'


class Room(Protocol):
    """Where contents are put behind each other."""

    def put(self, content: bytes) -> None:
        """Append these bytes; raises `OSError` when there is no room."""


class Memory:
    """Room in this process."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def put(self, content: bytes) -> None:
        """Append these bytes."""
        self._parts.append(content)

    def content(self) -> pa.Buffer:
        """All of them in one piece."""
        return pa.py_buffer(b"".join(self._parts))


@dataclass(frozen=True, slots=True)
class Columns:
    """Packed rows without their records and JSON lines, of which these are the places: where each
    ends, behind a 0 (int64)."""

    record_ends: NDArray[np.int64]
    json_ends: NDArray[np.int64]
    lines: pa.Array
    extras: pa.Array
    splits: pa.Array

    def table(self, records: pa.Buffer, json_lines: pa.Buffer) -> pa.Table:
        """A table with the columns of `SCHEMA` and `json_line`, each in one piece."""
        columns = [
            # UTF-8 that was made here need not be checked again.
            _array(records, self.record_ends, pa.large_string()),
            self.lines,
            self.extras,
            self.splits,
            _array(json_lines, self.json_ends, pa.large_binary()),
        ]
        return pa.Table.from_arrays(columns, schema=_PACKED)


def _array(content: pa.Buffer, ends: NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(kind, len(ends) - 1, [None, pa.py_buffer(ends), content])


def _ends(sizes: Sequence[int]) -> NDArray[np.int64]:
    ends = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=ends[1:])
    return ends


class Packer:
    """Packs rows into `records` and `json_lines`; `num_rows` counts them."""

    def __init__(self, records: Room, json_lines: Room) -> None:
        self._records, self._json = records, json_lines
        self._record_sizes: list[int] = []
        self._json_sizes: list[int] = []
        self._lines: list[int | None] = []
        self._extras: list[bytes | None] = []
        self._splits: list[str | None] = []

    @property
    def num_rows(self) -> int:
        return len(self._lines)

    def add(self, rows: Rows) -> None:
        """Append rows; either all that are added have splits or none."""
        records, lines, extras = rows.records, rows.lines, rows.extras
        self._records.put(b"".join(records))
        self._record_sizes += map(len, records)
        if None in lines or _EMPTY in records:
            found = list(map(json_line, records, lines, extras))
            self._json.put(b"".join(found))
            self._json_sizes += map(len, found)
            self._keep(lines, extras)
        else:
            self._add_lines([record[:-1] for record in records], lines, extras)
        self._splits += rows.splits

    def add_encoded(self, records: bytes, first_line: int, extras: Sequence[bytes | None]) -> None:
        """Append rows of consecutive lines: `records` are theirs, each with a line feed and none
        of them empty."""
        feeds = np.flatnonzero(np.frombuffer(records, np.uint8) == LINE_FEED).tolist()
        begins, at = [], 0
        for feed in feeds:
            begins.append(records[at : feed - 1])
            at = feed + 1
        self._records.put(records.replace(b"\n", b""))
        self._record_sizes += [len(begin) + 1 for begin in begins]
        self._add_lines(begins, range(first_line, first_line + len(begins)), extras)

    def _add_lines(
        self, begins: Sequence[bytes], lines: Sequence[int | None], extras: Sequence[bytes | None]
    ) -> None:
        """`begins` are the records without their last brace."""
        if None in extras:
            ends = list(starmap(_end, zip(lines, extras, strict=True)))
        else:
            ends = [_LONG_END % both for both in zip(lines, extras, strict=True)]
        self._json.put(b"".join(chain.from_iterable(zip(begins, ends, strict=True))))
        self._json_sizes += [len(a) + len(b) for a, b in zip(begins, ends, strict=True)]
        self._keep(lines, extras)

    def _keep(self, lines: Sequence[int | None], extras: Sequence[bytes | None]) -> None:
        self._lines += lines
        self._extras += extras

    def columns(self) -> Columns:
        """What is not in the rooms."""
        splits = self._splits or [None] * self.num_rows
        return Columns(
            _ends(self._record_sizes),
            _ends(self._json_sizes),
            pa.array(self._lines, pa.int64()),
            pa.array(self._extras, pa.large_binary()).view(pa.large_string()),
            pa.array(splits, pa.string()),
        )


def _end(line: int, extra: bytes | None) -> bytes:
    """The rest of a JSON line behind all of the record but its last brace."""
    return _SHORT_END % line if extra is None else _LONG_END % (line, extra)


class MemoryPacker(Packer):
    """Packs rows in this process."""

    def __init__(self) -> None:
        self._content = Memory(), Memory()
        super().__init__(*self._content)

    def table(self) -> pa.Table:
        """A table with the columns of `SCHEMA` and `json_line`, each in one piece."""
        return self.columns().table(*[room.content() for room in self._content])


def pack(rows: Rows) -> pa.Table:
    """The table of these rows."""
    packer = MemoryPacker()
    packer.add(rows)
    return packer.table()


def json_lines(table: pa.Table) -> tuple[pa.Buffer, pa.Array]:
    """All JSON lines of a packed table behind each other, and the array of them."""
    lines = table[JSON_LINE].chunk(0)
    return lines.buffers()[2], lines
