"""Reads and examines pieces of a version on all cores, and gives them back in their order.

Workers are fresh processes. One that is killed, by the kernel for memory for example, ends the
examination; one whose parent is gone ends itself.
"""

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from backend.datasets.arrow import leave_pandas_out
from backend.datasets.hygiene.batch import Piece, Plan, examine
from backend.datasets.versions.search_text import text_of

T = TypeVar("T")
PIECE_BYTES = 4 * 1024 * 1024
PIECE_ROWS = 8192
GC_AFTER = 100_000

# What a worker reads and examines with; set once, when it starts.
_file: pq.ParquetFile
_plan: Plan | None


class WorkerDied(MemoryError):
    """A worker was ended from outside, which memory is nearly always the reason for."""


def pieces_of(file: pq.ParquetFile) -> list[tuple[int, list[int]]]:
    """`(number of the first row, row groups)` of each piece, in order."""
    found: list[tuple[int, list[int]]] = []
    row = size = rows = 0
    for group in range(file.metadata.num_row_groups):
        facts = file.metadata.row_group(group)
        full = size + facts.total_byte_size > PIECE_BYTES or rows + facts.num_rows > PIECE_ROWS
        if not found or full:
            found.append((row, []))
            size = rows = 0
        found[-1][1].append(group)
        size += facts.total_byte_size
        rows += facts.num_rows
        row += facts.num_rows
    return found


def in_order(
    work: Callable[[tuple[int, list[int]]], T],
    pieces: Sequence[tuple[int, list[int]]],
    records: Path,
    plan: Plan | None,
    workers: int,
) -> Iterator[T]:
    """What `work` (one of this module) makes of each piece; below 2 workers it works right here.

    Memory holds two pieces per worker. Raises `WorkerDied`.
    """
    if workers < 2 or len(pieces) < 2:
        _prepare(records, plan)
        yield from map(work, pieces)
        return
    waiting: deque[Future[T]] = deque()
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare_worker,
        initargs=(records, plan),
    )
    try:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) == 2 * workers:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(future: "Future[T]") -> T:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise WorkerDied("an examining process was ended from outside") from error


def _prepare(records: Path, plan: Plan | None) -> None:
    global _file, _plan
    leave_pandas_out()
    _file, _plan = pq.ParquetFile(records), plan


def _prepare_worker(records: Path, plan: Plan | None) -> None:
    """Runs first in every worker."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Rows hold no cycles, and looking for some after every few hundred of them takes its time.
    gc.set_threshold(GC_AFTER)
    _prepare(records, plan)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def examined(piece: tuple[int, list[int]]) -> Piece:
    """What the rows of a piece hide."""
    first, groups = piece
    assert _plan is not None
    table = _file.read_row_groups(groups, columns=["record", "extra"], use_threads=False)
    return examine(first, _bytes(table["record"]), _bytes(table["extra"]), _plan)


def indexed(piece: tuple[int, list[int]]) -> tuple[int, pa.Buffer]:
    """How many rows a piece has, and what a search looks at in them, as an Arrow stream."""
    table = _file.read_row_groups(piece[1], columns=["record", "extra"], use_threads=False)
    texts = list(map(text_of, _bytes(table["record"]), _bytes(table["extra"])))
    batch = pa.record_batch([pa.array(texts, pa.large_string())], names=["text"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return len(texts), sink.getvalue()


def _bytes(column: pa.ChunkedArray) -> list[Any]:
    found: list[Any] = column.cast(pa.large_binary()).to_pylist()
    return found
