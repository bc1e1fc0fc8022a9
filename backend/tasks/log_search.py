"""Finds the lines of a log that a filter wants, with their numbers and how many there are.

How many lines match is remembered per block of the log and extended as the log grows, so that a
page, the next match or the k-th of n reads only blocks that have one. Work ends at a deadline: what
is not known by then says so, and the next call goes on from there. Everything blocks on files.
"""

import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backend.jobs.log_blocks import Block, block_of, blocks_in, read_block
from backend.jobs.log_file import RawLine, newlines_before, size_of
from backend.jobs.log_hole import NO_HOLE, Hole, hole_of
from backend.tasks.log_filter import Filter, Matcher, thinned

KEPT_FILTERS = 64
WORK_S = 0.8
MAX_MARKS = 1000
# Of the later blocks of a long log fewer are kept: a scroll bar has no more pixels for them.
FULL_BLOCKS, MARKS_OF_LATER = 16, 32
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Hit:
    """A wanted line and its number, from 1."""

    number: int
    raw: RawLine


@dataclass
class _Known:
    """What a filter found in a file so far."""

    identity: tuple[int, int]
    hole: Hole = NO_HOLE
    counts: "array[int]" = field(default_factory=lambda: array("q"))
    marks: dict[int, list[int]] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, hole: Hole) -> None:
        """Forget what a hole has reached since."""
        if hole != self.hole:
            self.hole = hole
            for block in range(block_of(hole.start), block_of(hole.end) + 1):
                self.forget(block)

    def forget(self, block: int) -> None:
        """The block has to be looked at again."""
        if block < len(self.counts):
            self.counts[block] = UNKNOWN
            self.marks.pop(block, None)

    def keep(self, block: int, numbers: list[int]) -> None:
        """The numbers of all lines that match in a block to which none will be added."""
        self.counts.extend([UNKNOWN] * (block + 1 - len(self.counts)))
        self.counts[block] = len(numbers)
        if numbers:
            most = MAX_MARKS if block < FULL_BLOCKS else MARKS_OF_LATER
            self.marks[block] = thinned(numbers, most)


_known: OrderedDict[tuple[Path, Filter], _Known] = OrderedDict()
_known_guard = threading.Lock()


def _known_of(file: Path, wanted: Filter) -> _Known:
    stat = file.stat()
    identity = (stat.st_dev, stat.st_ino)
    with _known_guard:
        known = _known.get((file, wanted))
        if known is None or known.identity != identity:
            known = _known[file, wanted] = _Known(identity)
        _known.move_to_end((file, wanted))
        while len(_known) > KEPT_FILTERS:
            _known.popitem(last=False)
        return known


class Search:
    """One look at a log with a filter, up to its size at the beginning. Close it after use."""

    def __init__(self, file: Path, matcher: Matcher, wanted: Filter) -> None:
        self._file, self._matcher = file, matcher
        self._size = size_of(file)
        self._deadline = time.monotonic() + WORK_S
        self._stream = file.open("rb") if self._size else None
        self._known = _known_of(file, wanted) if self._size else _Known((0, 0))
        with self._known.guard:
            self._known.follow(hole_of(file))
        self.blocks = blocks_in(self._size)
        self._looked: tuple[int, tuple[list[int], Block]] | None = None

    def close(self) -> None:
        """Let the file go."""
        if self._stream is not None:
            self._stream.close()

    def late(self) -> bool:
        """Whether no more work should be begun."""
        return time.monotonic() >= self._deadline

    def count_of(self, block: int) -> int:
        """How many lines of a block match."""
        return self._known.counts[block] if self._is_known(block) else len(self._look(block)[0])

    def count(self) -> int | None:
        """How many lines match in all; None when the time was too short to know."""
        total = 0
        for block in range(self.blocks):
            # The last block is never known for long, and always small.
            if not self._is_known(block) and self.late() and block < self.blocks - 1:
                return None
            total += self.count_of(block)
        return total

    def before(self, block: int) -> int | None:
        """How many lines match before a block; None when that is not known."""
        counts = self._known.counts[:block]
        return sum(counts) if len(counts) == block and UNKNOWN not in counts else None

    def marks(self) -> list[int]:
        """Numbers of lines that match, thinned, as far as they are known."""
        found: list[int] = []
        with self._known.guard:
            kept = dict(self._known.marks)
        for block in range(self.blocks):
            known = self._is_known(block)
            found += kept.get(block, []) if known else []
            if not known and block == self.blocks - 1:
                found += self._look(block)[0]
        return thinned(found, MAX_MARKS)

    def hits(self, block: int) -> list[Hit]:
        """The lines of a block that match, in order."""
        if self._is_known(block) and not self.count_of(block):
            return []
        numbers, read = self._look(block)
        wanted = iter(numbers)
        following = next(wanted, None)
        found: list[Hit] = []
        for stretch in read.stretches:
            number = newlines_before(self._file, stretch.offset)
            at = stretch.offset
            for content in stretch.lines.split(b"\n")[:-1]:
                number += 1
                end = at + len(content) + 1
                if number == following:
                    found.append(Hit(number, RawLine(at, end, content)))
                    if (following := next(wanted, None)) is None:
                        return found
                at = end
        return found

    def forward(self, start: int) -> Iterator[tuple[int, list[Hit]]]:
        """Blocks and their hits from byte `start` on, until it is late."""
        for block in range(block_of(start), self.blocks):
            yield block, [hit for hit in self.hits(block) if hit.raw.offset >= start]
            if self.late() and not self._is_known(block + 1):
                return

    def backward(self, end: int) -> Iterator[tuple[int, list[Hit]]]:
        """Blocks and their hits before byte `end`, the last block first, until it is late."""
        for block in range(min(self.blocks - 1, block_of(end)), -1, -1):
            yield block, [hit for hit in self.hits(block) if hit.raw.offset < end]
            if self.late() and block and not self._is_known(block - 1):
                return

    def _is_known(self, block: int) -> bool:
        counts = self._known.counts
        return block < len(counts) and counts[block] != UNKNOWN

    def _look(self, block: int) -> tuple[list[int], Block]:
        """Numbers of the lines of a block that match, and the block."""
        if self._stream is None:
            return [], Block([], whole=False)
        if self._looked is not None and self._looked[0] == block:
            return self._looked[1]
        read = read_block(self._stream, self._file, block, self._size)
        numbers: list[int] = []
        for stretch in read.stretches:
            indexes = self._matcher.indexes(stretch.lines)
            if indexes:
                first = newlines_before(self._file, stretch.offset) + 1
                numbers += [first + index for index in indexes]
        if read.whole:
            with self._known.guard:
                self._known.keep(block, numbers)
        self._looked = block, (numbers, read)
        return numbers, read
