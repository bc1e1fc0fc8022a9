"""Converts the pieces of large files on all cores, and gives them back in their order.

Workers are fresh processes that know how to convert and nothing else. One that is killed, by the
kernel for memory for example, ends the import; one whose parent is gone ends itself.
"""

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from backend.datasets.importers.importer import Importer
from backend.datasets.importing import recognition
from backend.datasets.importing.batch import Batch, convert_piece
from backend.datasets.importing.shapes import Shape, shape_of
from backend.datasets.readers.detect import Piece

MAX_WORKERS = 4


class WorkerDied(MemoryError):
    """A worker was ended from outside, which memory is nearly always the reason for."""


@dataclass(frozen=True)
class Recipe:
    """What rows are converted with: the name of their format or a mapping, and for each file the
    columns that its first rows have and its encoding."""

    name: str
    mapping: dict[str, Any] | None
    files: tuple[tuple[tuple[str, ...], str], ...]


class Converter:
    """A recipe put into effect."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._importer: Importer = recognition.importer_of(recipe.name, recipe.mapping)
        self._shapes: dict[int, Shape | None] = {}

    def convert(self, file: int, piece: Piece) -> Batch:
        """What becomes of some rows of the file with this number."""
        columns, codec = self._recipe.files[file]
        if file not in self._shapes:
            self._shapes[file] = shape_of(self._recipe.name, columns)
        return convert_piece(piece, self._importer, codec, self._shapes[file])


# What a worker converts with; set once, when it starts.
_converter: Converter
Placed = tuple[int, Piece]


def convert_pieces(
    pieces: Iterable[Placed], recipe: Recipe, workers: int
) -> Generator[tuple[int, Piece, Batch], None, None]:
    """Each piece and the number of its file with what became of it, in order; `workers` below 2
    work right here.

    Memory holds two pieces per worker. Raises `WorkerDied`, and what reading a piece raises.
    """
    if workers < 2:
        converter = Converter(recipe)
        for file, piece in pieces:
            yield file, piece, converter.convert(file, piece)
        return
    waiting: deque[tuple[Placed, Future[Batch]]] = deque()
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
        initargs=(recipe,),
    )
    try:
        for placed in pieces:
            waiting.append((placed, _submit(pool, placed)))
            if len(waiting) == 2 * workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, placed: Placed) -> Future[Batch]:
    try:
        return pool.submit(_convert, *placed)
    except BrokenProcessPool as error:
        raise WorkerDied("a converting process was ended from outside") from error


def _next(waiting: deque[tuple[Placed, Future[Batch]]]) -> tuple[int, Piece, Batch]:
    (file, piece), future = waiting.popleft()
    try:
        return file, piece, future.result()
    except BrokenProcessPool as error:
        raise WorkerDied("a converting process was ended from outside") from error


def number_of_workers() -> int:
    """One for each core that this process may use, up to `MAX_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MAX_WORKERS)


def _prepare(recipe: Recipe) -> None:
    """Runs first in every worker."""
    global _converter
    _converter = Converter(recipe)
    # Rows hold no cycles, and looking for some takes a third of the time.
    gc.disable()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _convert(file: int, piece: Piece) -> Batch:
    return _converter.convert(file, piece)
