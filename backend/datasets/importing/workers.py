"""Converts the pieces of large files on all cores, and gives them back in their order.

Workers are fresh processes that know how to convert and nothing else. One that is killed, by the
kernel for memory for example, ends the import; one whose parent is gone ends itself.
"""

import ctypes
import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from backend.datasets.arrow import leave_pandas_out
from backend.datasets.importers.importer import Importer
from backend.datasets.importing import recognition
from backend.datasets.importing.batch import Batch, convert_piece
from backend.datasets.importing.report import Findings
from backend.datasets.importing.shapes import Shape, shape_of
from backend.datasets.importing.tally import Tally
from backend.datasets.readers.detect import Piece
from backend.datasets.versions.packing import load, pack, save

MAX_WORKERS = 4
# The most that glibc takes for both of these options of `mallopt`.
KEPT_BYTES = 32 * 1024 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


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


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a piece of the file with this number; `table` has the rows that are used,
    packed, and is None where there are none."""

    file: int
    piece: Piece
    table: pa.Table | None
    found: Findings
    tally: Tally


# What a worker converts with; set once, when it starts.
_converter: Converter
Placed = tuple[int, Piece]


def convert_pieces(
    pieces: Iterable[Placed], recipe: Recipe, workers: int, folder: Path
) -> Generator[Converted, None, None]:
    """What becomes of each piece, with the number of its file, in order; `workers` below 2 work
    right here.

    Memory and a folder in `folder` hold two pieces per worker. Raises `WorkerDied`, and what
    reading a piece raises.
    """
    if workers < 2:
        converter = Converter(recipe)
        for file, piece in pieces:
            batch = converter.convert(file, piece)
            table = pack(batch.rows) if batch.rows.records else None
            yield Converted(file, piece, table, batch.found, batch.tally)
        return
    waiting: deque[_Waiting] = deque()
    with TemporaryDirectory(dir=folder) as shared, _pool(recipe, workers) as pool:
        for number, (file, piece) in enumerate(pieces):
            path = Path(shared) / str(number)
            waiting.append(_Waiting(file, piece, path, _submit(pool, file, piece, path)))
            if len(waiting) == 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _pool(recipe: Recipe, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that are ended without finishing what they have not begun."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_prepare, initargs=(recipe,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submit(
    pool: ProcessPoolExecutor, file: int, piece: Piece, path: Path
) -> Future[tuple[Findings, Tally]]:
    try:
        return pool.submit(_convert, file, piece, path)
    except BrokenProcessPool as error:
        raise WorkerDied("a converting process was ended from outside") from error


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A piece that a worker has, and the file in which its rows come back."""

    file: int
    piece: Piece
    path: Path
    future: Future[tuple[Findings, Tally]]

    def result(self) -> Converted:
        """What became of it, once it is done."""
        try:
            found, tally = self.future.result()
        except BrokenProcessPool as error:
            raise WorkerDied("a converting process was ended from outside") from error
        table = None
        if self.path.exists():
            table = load(self.path)
            self.path.unlink()
        return Converted(self.file, self.piece, table, found, tally)


def number_of_workers() -> int:
    """One for each core that this process may use, up to `MAX_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MAX_WORKERS)


def _prepare(recipe: Recipe) -> None:
    """Runs first in every worker."""
    global _converter
    leave_pandas_out()
    _converter = Converter(recipe)
    # Rows hold no cycles, and looking for some takes a third of the time.
    gc.disable()
    _keep_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _keep_memory() -> None:
    """Let freed memory stay with this process: glibc gives it back at once and asks for it again,
    which takes several times longer than what numpy does with a block of lines."""
    with suppress(AttributeError, OSError):  # another library does otherwise anyway
        for option in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD):
            ctypes.CDLL(None).mallopt(option, KEPT_BYTES)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _convert(file: int, piece: Piece, path: Path) -> tuple[Findings, Tally]:
    """In a worker: the rows go into the file `path`, which is there only when there are some."""
    batch = _converter.convert(file, piece)
    if batch.rows.records:
        save(pack(batch.rows), path)
    return batch.found, batch.tally
