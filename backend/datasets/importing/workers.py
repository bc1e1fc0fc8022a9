"""Converts the pieces of a large file on all cores, and gives them back in their order.

Workers are fresh processes that know how to convert and nothing else. One that is killed, by the
kernel for memory for example, ends the import; one whose parent is gone ends itself.
"""

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from backend.datasets.importers.importer import Importer
from backend.datasets.importing import recognition
from backend.datasets.importing.batch import Batch, convert_chunk
from backend.datasets.importing.shapes import Shape, shape_of
from backend.datasets.readers.chunks import Chunk

MAX_WORKERS = 4

# What a worker converts with; set once, when it starts.
_importer: Importer
_shape: Shape | None
_codec: str


class WorkerDied(MemoryError):
    """A worker was ended from outside, which memory is nearly always the reason for."""


def convert_chunks(
    chunks: Iterable[Chunk],
    name: str,
    mapping: dict[str, Any] | None,
    columns: Sequence[str],
    codec: str,
    workers: int,
) -> Iterator[tuple[Chunk, Batch]]:
    """Each chunk with what became of it, in order; `workers` below 2 work right here.

    `columns` are those that the first rows have.
    Memory holds two chunks per worker. Raises `WorkerDied`.
    """
    if workers < 2:
        importer, shape = recognition.importer_of(name, mapping), shape_of(name, columns)
        for chunk in chunks:
            yield chunk, convert_chunk(chunk, importer, codec, shape)
        return
    waiting: deque[tuple[Chunk, Future[Batch]]] = deque()
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
        initargs=(name, mapping, columns, codec),
    )
    try:
        for chunk in chunks:
            waiting.append((chunk, pool.submit(_convert, chunk)))
            if len(waiting) == 2 * workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _next(waiting: deque[tuple[Chunk, Future[Batch]]]) -> tuple[Chunk, Batch]:
    chunk, future = waiting.popleft()
    try:
        return chunk, future.result()
    except BrokenProcessPool as error:
        raise WorkerDied("a converting process was ended from outside") from error


def number_of_workers() -> int:
    """One for each core that this process may use, up to `MAX_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MAX_WORKERS)


def _prepare(name: str, mapping: dict[str, Any] | None, columns: Sequence[str], codec: str) -> None:
    """Runs first in every worker."""
    global _importer, _shape, _codec
    _importer, _codec = recognition.importer_of(name, mapping), codec
    _shape = shape_of(name, columns)
    # Rows hold no cycles, and looking for some takes a third of the time.
    gc.disable()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _convert(chunk: Chunk) -> Batch:
    return convert_chunk(chunk, _importer, _codec, _shape)
