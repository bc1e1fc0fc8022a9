"""Rows laid aside, on disk when they are many: to be read twice, or to be put in another order."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backend.datasets.preparing.stream import Batch, Kept, Stored, Stream, Tick

SCHEMA = pa.schema(
    [
        ("record", pa.large_binary()),
        ("line", pa.int64()),
        ("extra", pa.large_binary()),
        ("split", pa.string()),
        ("origin", pa.int64()),
        ("repaired", pa.bool_()),
        ("rank", pa.int64()),
    ]
)
BATCH_ROWS = 512
# What is put in order at once, and what waits for each file while rows are dealt out.
BUCKET_BYTES = 16 * 1024 * 1024
BUCKET_ROWS = 50_000
MAX_BUCKETS = 256
PENDING_BYTES = 64 * 1024
# What may stay in memory instead; each row takes about so much beside its bytes.
MEMORY_BYTES, ROW_BYTES = 32 * 1024 * 1024, 250

Array = np.ndarray[Any, Any]
Ranked = tuple[Batch, list[int]]
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


class Spool:
    """Rows with a rank each: in memory as long as they need no more than `memory_bytes` of it, all
    of them in `file` from then on; `num_rows` and `size_bytes` count them."""

    def __init__(
        self, file: Path, tick: Tick = lambda _rows: None, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._path, self._tick, self._memory_bytes = file, tick, memory_bytes
        self._writer: pa.RecordBatchStreamWriter | None = None
        self._held: list[Ranked] = []
        self._pending, self._ranks, self._bytes = Batch(), [], 0  # type: tuple[Batch, list[int], int]
        self.num_rows = self.size_bytes = 0

    def add(self, batch: Batch, ranks: list[int] | None = None) -> None:
        """Append rows."""
        size = batch.size_bytes
        self._pending.add(batch)
        self._ranks += ranks if ranks is not None else [0] * len(batch)
        self._bytes += size
        self.size_bytes += size
        self.num_rows += len(batch)
        if self._bytes >= PENDING_BYTES or len(self._pending) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if len(self._pending):
            self._held.append((self._pending, self._ranks))
        self._pending, self._ranks, self._bytes = Batch(), [], 0
        if self._writer is None:
            if self.size_bytes + ROW_BYTES * self.num_rows <= self._memory_bytes:
                return
            self._writer = pa.ipc.new_stream(self._path, SCHEMA, options=_OPTIONS)
        for batch, ranks in self._held:
            columns = [*batch.columns(), ranks]
            arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
            self._writer.write_batch(pa.record_batch(arrays, schema=SCHEMA))
        self._held = []

    def close(self) -> None:
        """No more rows are added; from here on they are read."""
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def remove(self) -> None:
        """Give the space back."""
        self._held = []
        if self._writer is not None:
            self._path.unlink()

    def __iter__(self) -> Iterator[Batch]:
        for batch, _ranks in self.ranked():
            self._tick(len(batch))
            yield batch

    def ranked(self) -> Iterator[Ranked]:
        """The rows with their ranks."""
        for batch, ranks in self._held:
            yield Batch(*batch.columns()), ranks  # another one: its columns may be replaced
        if self._writer is None:
            return
        with pa.OSFile(str(self._path)) as file:
            for found in pa.ipc.open_stream(file):
                *columns, ranks = [column.to_pylist() for column in found.columns]
                yield Batch(*columns), ranks


def kept(rows: Stream, file: Path, tick: Tick) -> Kept:
    """Rows that can be read again: a version as it is, anything else by way of `file`."""
    if isinstance(rows, Stored):
        return rows
    spool = Spool(file, tick)
    for batch in rows:
        tick(len(batch))
        spool.add(batch)
    spool.close()
    return spool


def let_go(rows: Kept) -> None:
    """These rows are not read again."""
    if isinstance(rows, Spool):
        rows.remove()


def in_order(
    rows: Iterable[tuple[Batch, Array]], num_rows: int, size_bytes: int, folder: Path
) -> Iterator[Batch]:
    """Rows by rank; ranks are 0 … `num_rows` - 1, each once. `folder` is not there yet.

    They are dealt out to buckets by rank and each of those is put in order by itself: memory holds
    one of them and `PENDING_BYTES` of each, or, when they are few, all of them.
    """
    wanted = max(-(-size_bytes // BUCKET_BYTES), -(-num_rows // BUCKET_ROWS), 1)
    width = -(-num_rows // min(wanted, MAX_BUCKETS))
    folder.mkdir()
    number = -(-num_rows // width)
    small = size_bytes + ROW_BYTES * num_rows <= MEMORY_BYTES
    each = MEMORY_BYTES // number if small else 0
    buckets = [Spool(folder / str(n), memory_bytes=each) for n in range(number)]
    for batch, ranks in rows:
        homes = ranks // width
        for home in np.unique(homes):
            places = np.flatnonzero(homes == home)
            buckets[int(home)].add(batch.take(places.tolist()), ranks[places].tolist())
    for bucket in buckets:
        bucket.close()
    for bucket in buckets:
        whole, found = Batch(), []
        for batch, some in bucket.ranked():
            whole.add(batch)
            found += some
        bucket.remove()
        order = np.argsort(np.array(found, np.int64), kind="stable").tolist()
        for start in range(0, len(order), BATCH_ROWS):
            yield whole.take(order[start : start + BATCH_ROWS])
    folder.rmdir()
