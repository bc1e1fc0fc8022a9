"""Converts the pieces of large files on all cores, and gives them back in their order.

Workers are processes that do nothing else. One that is killed, by the kernel for memory for
example, ends the import; one whose parent is gone ends itself.
"""

import ctypes
import gc
import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyarrow as pa

from backend.datasets.arrow import leave_pandas_out
from backend.datasets.importers.importer import Importer
from backend.datasets.importing import recognition
from backend.datasets.importing.batch import Batch, convert_piece
from backend.datasets.importing.report import Findings
from backend.datasets.importing.shapes import Shape, shape_of
from backend.datasets.importing.slots import Desk, Packed, Slot
from backend.datasets.importing.tally import Tally
from backend.datasets.readers.detect import Piece
from backend.datasets.versions.packing import MemoryPacker

MAX_WORKERS = 4
# Below this, starting other processes takes longer than they save.
PARALLEL_FROM_BYTES = 16 * 1024 * 1024
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
        self.recipe = recipe
        self._importer: Importer = recognition.importer_of(recipe.name, recipe.mapping)
        self._shapes: dict[int, Shape | None] = {}

    def convert(self, file: int, piece: Piece, batch: Batch) -> None:
        """Convert some rows of the file with this number into `batch`."""
        columns, codec = self.recipe.files[file]
        if file not in self._shapes:
            self._shapes[file] = shape_of(self.recipe.name, columns)
        convert_piece(piece, self._importer, codec, self._shapes[file], batch)


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a piece of the file with this number; `table` has the rows that are used,
    packed, and is None where there are none."""

    file: int
    piece: Piece
    table: pa.Table | None
    found: Findings
    tally: Tally


# What a worker converts with, since it was told for the first time.
_converter: Converter | None = None
_desk = Desk()
Placed = tuple[int, Piece]
Answer = tuple[Packed | None, Findings, Tally]


class Hands:
    """Whoever converts: this process, or several others when there is much to do."""

    def __init__(self) -> None:
        self._workers = number_of_workers()
        self._pool: ProcessPoolExecutor | None = None

    def expect(self, size_bytes: int) -> None:
        """Start the others when so much is worth it: they are there when it has been found out
        what to do."""
        if self._pool is None and self._workers > 1 and size_bytes >= PARALLEL_FROM_BYTES:
            context = multiprocessing.get_context(_way_to_start())
            self._pool = ProcessPoolExecutor(self._workers, context, initializer=_prepare)
            for _ in range(self._workers):
                self._pool.submit(_be_ready)

    def convert(
        self, pieces: Iterable[Placed], recipe: Recipe, folder: Path
    ) -> Generator[Converted, None, None]:
        """What becomes of each piece, with the number of its file, in order; each table is there
        until the next is asked for, or longer when it is small (`Slot.table`).

        A folder in `folder` holds two pieces per worker. Raises `WorkerDied`, and what reading a
        piece raises.
        """
        if self._pool is None:
            converter = Converter(recipe)
            for file, piece in pieces:
                packer = MemoryPacker()
                batch = Batch(packer)
                converter.convert(file, piece, batch)
                table = packer.table() if packer.num_rows else None
                yield Converted(file, piece, table, batch.found, batch.tally)
            return
        waiting: deque[_Waiting] = deque()
        with TemporaryDirectory(dir=folder) as shared:
            free = [Slot(Path(shared) / str(number)) for number in range(2 * self._workers)]
            for file, piece in pieces:
                slot = free.pop()
                future = _submit(self._pool, recipe, file, piece, slot.path)
                waiting.append(_Waiting(file, piece, slot, future))
                if not free:
                    yield waiting[0].result()
                    free.append(waiting.popleft().slot)
            while waiting:
                yield waiting.popleft().result()

    def close(self) -> None:
        """End the others, without what they have not begun."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def _submit(
    pool: ProcessPoolExecutor, recipe: Recipe, file: int, piece: Piece, slot: Path
) -> Future[Answer]:
    try:
        return pool.submit(_convert, recipe, file, piece, slot)
    except BrokenProcessPool as error:
        raise WorkerDied("a converting process was ended from outside") from error


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A piece that a worker has, and where its rows come back."""

    file: int
    piece: Piece
    slot: Slot
    future: Future[Answer]

    def result(self) -> Converted:
        """What became of it, once it is done."""
        try:
            packed, found, tally = self.future.result()
        except BrokenProcessPool as error:
            raise WorkerDied("a converting process was ended from outside") from error
        table = None if packed is None else self.slot.table(packed)
        return Converted(self.file, self.piece, table, found, tally)


def number_of_workers() -> int:
    """One for each core that this process may use, up to `MAX_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MAX_WORKERS)


def _way_to_start() -> Literal["fork", "spawn"]:
    """A process with one thread may be copied, and its copies need not load again what it has
    loaded: a third of a second for each."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    return "fork" if alone else "spawn"


def _prepare() -> None:
    """Runs first in every worker."""
    leave_pandas_out()
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


def _be_ready() -> None:
    """Nothing to do but to be there."""


def _convert(recipe: Recipe, file: int, piece: Piece, slot: Path) -> Answer:
    """In a worker: the rows go into the slot."""
    global _converter
    if _converter is None or _converter.recipe != recipe:
        _converter = Converter(recipe)
    packer = _desk.packer(slot)
    batch = Batch(packer)
    _converter.convert(file, piece, batch)
    packed = _desk.packed(packer) if packer.num_rows else None
    return packed, batch.found, batch.tally
