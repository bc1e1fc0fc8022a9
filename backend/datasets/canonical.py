"""The files of a version, and the writer of its rows.

`records.jsonl` has one canonical record per line; `offsets.bin` one unsigned 64-bit little-endian
number per row, where it begins, so that any page of any file is two reads.
"""

import hashlib
import sys
from array import array
from pathlib import Path
from typing import Any

import orjson

RECORDS_FILE = "records.jsonl"
OFFSETS_FILE = "offsets.bin"
REPORT_FILE = "report.jsonl"
STATISTICS_FILE = "statistics.json"
SUMMARY_FILE = "import.json"
OFFSET_BYTES = 8
_BLOCK_BYTES = 1 << 20


class RecordWriter:
    """Appends rows; `num_rows` and `size_bytes` count them."""

    def __init__(self, folder: Path) -> None:
        self._records = (folder / RECORDS_FILE).open("wb", buffering=0)
        self._offsets = (folder / OFFSETS_FILE).open("wb", buffering=0)
        self._hash = hashlib.sha256()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._starts = array("Q")
        self.num_rows = 0
        self.size_bytes = 0

    def write(self, line: bytes) -> None:
        """Append one row: JSON with a line feed."""
        self._starts.append(self.size_bytes)
        self._pending.append(line)
        self._pending_bytes += len(line)
        self.size_bytes += len(line)
        self.num_rows += 1
        if self._pending_bytes >= _BLOCK_BYTES:
            self._flush()

    def _flush(self) -> None:
        block = b"".join(self._pending)
        self._hash.update(block)
        self._records.write(block)
        if sys.byteorder == "big":
            self._starts.byteswap()
        self._offsets.write(self._starts.tobytes())
        self._pending, self._pending_bytes, self._starts = [], 0, array("Q")

    def close(self) -> str:
        """Write what is left; returns the sha256 of all records."""
        self._flush()
        self._records.close()
        self._offsets.close()
        return self._hash.hexdigest()


def record_line(record: dict[str, Any]) -> bytes:
    """A record as its line; raises `TypeError` for text that is not Unicode."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
