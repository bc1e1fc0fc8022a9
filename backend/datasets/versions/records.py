"""Writes the canonical records of a version: Parquet, and a sample of them as JSON lines.

Columns of the Parquet file: `record` (text, the canonical record as JSON without `meta`), `line`
(int64, the 1-based line or item of the upload, null where rows have none), `extra` (text, what
the upload had beside the record as JSON, or null) and `split` (text, the part of a divided version
that the row belongs to, or null). The content is addressed by the sha256 of its
JSON lines, which depends neither on the compression nor on the way in which the file was cut.
"""

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.datasets.versions.names import RECORDS_FILE, SAMPLE_FILE
from backend.datasets.versions.packing import GROUP_BYTES, SCHEMA, SPLIT, json_lines, pack
from backend.datasets.versions.rows import Rows, stored

GROUP_ROWS = 512
SAMPLE_ROWS = 512


class RecordWriter:
    """Appends records; `num_rows` and `size_bytes` (of the JSON lines) count them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = pq.ParquetWriter(
            folder / RECORDS_FILE,
            SCHEMA,
            # Quicker to write than zstd, and to read, for a third more to keep (decision 0010).
            compression="lz4",
            use_dictionary=False,
            write_statistics=["line"],
        )
        self._hash = hashlib.sha256()
        self._splits: dict[str, _Split] = {}
        self._sample = _Sample()
        self._pending: list[pa.Table] = []
        self._pending_bytes = 0
        self.num_rows = 0
        self.size_bytes = 0

    def write(self, rows: Rows) -> None:
        """Append rows."""
        if rows.records:
            self.write_packed(pack(rows))

    def write_packed(self, table: pa.Table) -> None:
        """Append rows that are packed already; `GROUP_BYTES` of them and more are written at
        once."""
        content, lines = json_lines(table)
        self._hash.update(content)
        self._sample.add(lines, self.num_rows)
        if table[SPLIT].null_count < len(table):
            self._divide(table[SPLIT].to_pylist(), lines)
        self.num_rows += len(table)
        self.size_bytes += len(content)
        self._pending.append(table.select(SCHEMA.names))
        self._pending_bytes += len(content)
        if self._pending_bytes >= GROUP_BYTES:
            self._flush()

    def _divide(self, splits: list[str | None], lines: pa.Array) -> None:
        for split, line in zip(splits, lines, strict=True):
            if split is not None:
                self._splits.setdefault(split, _Split()).add(line.as_py())

    def append(self, record: dict[str, Any]) -> None:
        """Append one canonical record; raises `TypeError` for text that is not Unicode."""
        self.write(stored([record]))

    def _flush(self) -> None:
        """Write groups of about `GROUP_BYTES` and at most `GROUP_ROWS` rows."""
        if not self._pending:
            return
        table = pa.concat_tables(self._pending)
        groups = max(1, round(self._pending_bytes / GROUP_BYTES))
        step = min(GROUP_ROWS, math.ceil(len(table) / groups))
        self._pending, self._pending_bytes = [], 0
        self._file.write_table(table, row_group_size=step)

    def abandon(self) -> None:
        """Close the file without what is left."""
        self._file.close()

    def close(self) -> str:
        """Write what is left; returns the sha256 of all records."""
        self._flush()
        self._file.close()
        (self._folder / SAMPLE_FILE).write_bytes(self._sample.content())
        return self._hash.hexdigest()

    @property
    def splits(self) -> dict[str, dict[str, Any]]:
        """Name → `{num_rows, sha256}` of the rows that belong to it, as JSON lines."""
        return {name: split.facts() for name, split in self._splits.items()}


class _Split:
    """The rows of one part of the version."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._num_rows = 0

    def add(self, line: bytes) -> None:
        """One more row, as its JSON line."""
        self._hash.update(line)
        self._num_rows += 1

    def facts(self) -> dict[str, Any]:
        return {"num_rows": self._num_rows, "sha256": self._hash.hexdigest()}


@dataclass
class _Sample:
    """At most `SAMPLE_ROWS` records, evenly spread over however many come."""

    kept: list[bytes] = field(default_factory=list)
    every: int = 1

    def add(self, lines: pa.Array, first: int) -> None:
        """Take every n-th of these records, of which the first has the number `first`."""
        self.kept.extend(lines[-first % self.every :: self.every].to_pylist())
        while len(self.kept) > SAMPLE_ROWS:
            del self.kept[1::2]
            self.every *= 2

    def content(self) -> bytes:
        return b"".join(self.kept)
