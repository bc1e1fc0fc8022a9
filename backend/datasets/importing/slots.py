"""Memory that the processes of an import share: a worker writes into it what becomes of a piece of
the file, and the import reads it there.

Each slot is two files that stay mapped on both sides and are used again and again, because pages
that are new cost more than what is written on them. Their room is taken on the disk before it is
used: where there is none an `OSError` says so, and nobody is ended for touching it.
"""

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from backend.datasets.versions.packing import GROUP_BYTES, Columns, Packer

# Room is taken in steps of this size.
STEP_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows in a slot: the sizes of their records and of their JSON lines in bytes."""

    columns: Columns
    record_bytes: int
    json_bytes: int


class _Writing:
    """A file of a slot, for the worker that writes it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._map: mmap.mmap | None = None
        self.size = 0

    def put(self, content: bytes) -> None:
        """Append these bytes; raises `OSError` when the disk is full."""
        end = self.size + len(content)
        if self._map is None or end > len(self._map):
            self._map = self._grow(end)
        self._map[self.size : end] = content
        self.size = end

    def _grow(self, end: int) -> mmap.mmap:
        room = -(-max(end, 1) // STEP_BYTES) * STEP_BYTES
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._file, 0, room)
        else:  # systems that have no such call end the worker when the disk is full
            os.truncate(self._file, room)
        if self._map is not None:
            self._map.close()
        return mmap.mmap(self._file, 0)


class Desk:
    """The slot that a worker writes into; each is opened when it comes for the first time."""

    def __init__(self) -> None:
        self._open: dict[Path, tuple[_Writing, _Writing]] = {}
        self._records: _Writing
        self._json: _Writing

    def packer(self, slot: Path) -> Packer:
        """One that writes into this slot, over what was in it."""
        if slot not in self._open:
            self._open[slot] = (_Writing(_records(slot)), _Writing(_json(slot)))
        self._records, self._json = self._open[slot]
        self._records.size = self._json.size = 0
        return Packer(self._records, self._json)

    def packed(self, packer: Packer) -> Packed:
        """What the packer has written."""
        return Packed(packer.columns(), self._records.size, self._json.size)


class _Reading:
    """A file of a slot, for the import."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map: mmap.mmap | None = None

    def read(self, size: int) -> memoryview:
        """The first bytes, as they are now."""
        if not size:
            return memoryview(b"")
        if self._map is None or len(self._map) < size:
            with self._path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return memoryview(self._map)[:size]


class Slot:
    """The two files named `path` and a suffix."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records, self._json = _Reading(_records(path)), _Reading(_json(path))

    def table(self, packed: Packed) -> pa.Table:
        """The rows in it. A table with fewer than `GROUP_BYTES` of JSON lines, which waits for
        others before it is written, may be kept; a larger one until the slot is used again."""
        found = self._records.read(packed.record_bytes), self._json.read(packed.json_bytes)
        if packed.json_bytes < GROUP_BYTES:
            records, json_lines = map(bytes, found)
        else:
            records, json_lines = found  # type: ignore[assignment]
        return packed.columns.table(pa.py_buffer(records), pa.py_buffer(json_lines))


def _records(slot: Path) -> Path:
    return slot.with_suffix(".records")


def _json(slot: Path) -> Path:
    return slot.with_suffix(".json")
