"""Rows of a version by number, and those that a search finds; runs in the reading process."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.datasets.versions import search_index
from backend.datasets.versions.names import RECORDS_FILE, SEARCH_FILE

if TYPE_CHECKING:
    import polars as pl  # takes longer to load than a page takes to read

# A page of very long rows ends early rather than filling the memory; the client asks on.
MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_SEARCHES = 16
# Opening an index reads all of it: a larger one would push what others need out of the memory.
OPENED_AHEAD_BYTES = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
_COLUMNS = ("record", "line", "extra")
SPLIT = "split"
BATCH_ROWS = 4096
SEED = 0


class Version:
    """An open version; `num_rows` counts its rows."""

    def __init__(self, folder: Path) -> None:
        self._file = pq.ParquetFile(folder / RECORDS_FILE, memory_map=True)
        groups = self._file.metadata
        sizes = [groups.row_group(n).num_rows for n in range(groups.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self.num_rows = int(self._starts[-1])
        self._folder = folder
        self._texts: pl.Series | None = None
        self._indexing = threading.Lock()
        self._found: OrderedDict[str, np.ndarray[Any, Any]] = OrderedDict()
        self._splits: dict[str, np.ndarray[Any, Any]] = {}

    def rows(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """`{index, line, record, extra}` of rows (the last two as JSON text), numbers ascending.

        Ends early when `MAX_PAGE_BYTES` are full.
        """
        found: list[dict[str, Any]] = []
        size, at = 0, 0
        groups = np.searchsorted(self._starts, numbers, side="right") - 1
        while at < len(numbers) and size < MAX_PAGE_BYTES:
            group = int(groups[at])
            table = self._file.read_row_group(group)
            start = int(self._starts[group])
            while at < len(numbers) and groups[at] == group and size < MAX_PAGE_BYTES:
                number = int(numbers[at])
                row = {name: table[name][number - start].as_py() for name in _COLUMNS}
                found.append({"index": number, **row})
                size += len(row["record"])
                at += 1
        return found

    def said(self, numbers: Sequence[int]) -> Iterator[tuple[int, str, str | None]]:
        """Number, record and extra (JSON text) of rows, numbers ascending; any number of them."""
        groups = (np.searchsorted(self._starts, numbers, side="right") - 1).tolist()
        for group, some in groupby(zip(groups, numbers, strict=True), itemgetter(0)):
            chosen = [number for _, number in some]
            table = self._file.read_row_group(group, columns=["record", "extra"])
            rows = table.take([number - int(self._starts[group]) for number in chosen])
            yield from zip(chosen, *(column.to_pylist() for column in rows.columns), strict=True)

    def contents(self) -> "pl.DataFrame":
        """What a row says as `hash` (uint64), its `line` (−1 for none) and its number `row`."""
        import polars as pl

        parts = [pl.DataFrame(schema={"hash": pl.UInt64, "line": pl.Int64})]
        for batch in self._file.iter_batches(BATCH_ROWS, columns=["record", "line", "extra"]):
            told = pl.concat_str("record", pl.col("extra").fill_null(""), separator="\n")
            frame = pl.DataFrame(pl.from_arrow(batch))
            parts.append(frame.select(hash=told.hash(SEED), line=pl.col("line").fill_null(-1)))
        return pl.concat(parts).with_row_index("row")

    def of_split(self, split: str) -> "np.ndarray[Any, Any]":
        """Numbers of the rows that belong to a split."""
        if split not in self._splits:
            if SPLIT not in self._file.schema_arrow.names:
                return np.empty(0, dtype=np.int64)
            column = self._file.read(columns=[SPLIT])[SPLIT]
            found = np.flatnonzero(pc.fill_null(pc.equal(column, split), False))
            if not len(found):  # anything may be asked for
                return found
            self._splits[split] = found
        return self._splits[split]

    def of_line(self, line: int) -> "np.ndarray[Any, Any]":
        """Numbers of the rows that come from a line of the upload: several, where a version has
        rows of more than one file."""
        column = self._file.read(columns=["line"])["line"]
        return np.flatnonzero(pc.fill_null(pc.equal(column, line), False))

    def search(self, needle: str) -> "np.ndarray[Any, Any]":
        """Numbers of the rows whose texts contain `needle`, which is folded already."""
        with self._indexing:
            if needle in self._found:
                self._found.move_to_end(needle)
                return self._found[needle]
            if self._texts is None:
                if not (self._folder / SEARCH_FILE).exists():
                    search_index.build(self._folder)
                self._texts = self._open_index()
        found = self._texts.str.contains(needle, literal=True).arg_true().to_numpy()
        with self._indexing:
            self._found[needle] = found
            if len(self._found) > MAX_SEARCHES:
                self._found.popitem(last=False)
        return found

    def get_ready(self) -> None:
        """Open the index, where there is one, before somebody searches: the first search would
        take several times as long as the next one."""
        index = self._folder / SEARCH_FILE
        with self._indexing:
            ahead = self._texts is None and index.exists()
            if ahead and index.stat().st_size <= OPENED_AHEAD_BYTES:
                self._texts = self._open_index()

    def _open_index(self) -> "pl.Series":
        import polars as pl

        index = pa.ipc.open_file(pa.memory_map(str(self._folder / SEARCH_FILE)))
        # Piece by piece: other questions are answered in between.
        batches = (index.get_batch(number) for number in range(index.num_record_batches))
        pieces = [pl.Series(pl.from_arrow(batch["text"])) for batch in batches]
        return pl.concat(pieces, rechunk=False) if pieces else pl.Series(dtype=pl.String)
