"""Reads a growing log by byte offset: forwards, backwards, the last lines, and line numbers.

No request reads the whole file: a seek and a few blocks, and for line numbers one count of
newlines per block, kept in memory and extended as the file grows. Only lines that are complete
are ever returned; a torn last line waits for its end. A log that was too large has a hole, see
`log_hole.py`: readers step over it, and the line before it says what is missing.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from backend.jobs.log_hole import NO_HOLE, Hole, hole_of

BLOCK_BYTES = 256 * 1024
KEPT_INDEXES = 64


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line without its newline; `offset` is where it begins, `end` where the next one does."""

    offset: int
    end: int
    content: bytes


@dataclass
class _Index:
    """Newlines per whole block; valid while the file is the same and only grew."""

    identity: tuple[int, int]
    counts: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=lambda: [0])
    hole: Hole = NO_HOLE
    guard: threading.Lock = field(default_factory=threading.Lock)

    def extend(self, stream: BinaryIO, hole: Hole, blocks: int) -> None:
        """Count up to `blocks` blocks; those that a hole has reached since are counted anew."""
        again: list[int] = []
        if hole != self.hole:
            first, last = hole.start // BLOCK_BYTES, hole.end // BLOCK_BYTES
            again = list(range(first, min(last + 1, len(self.counts))))
            self.hole = hole
        self.counts += [0] * (blocks - len(self.counts))
        for block in (*again, *range(len(self.sums) - 1, blocks)):
            start, end = block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES
            if hole.start <= start and end <= hole.end:
                self.counts[block] = 0
                continue
            stream.seek(start)
            self.counts[block] = stream.read(BLOCK_BYTES).count(b"\n")
        if again or len(self.sums) <= blocks:
            self.sums = list(accumulate(self.counts, initial=0))


_indexes: OrderedDict[Path, _Index] = OrderedDict()
_indexes_guard = threading.Lock()


def size_of(file: Path) -> int:
    """Bytes so far; 0 before the file exists."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def start_of_next(file: Path, offset: int) -> int:
    """Where the line after the one that contains byte `offset` begins (the end when none does)."""
    size, hole = size_of(file), hole_of(file)
    if offset >= size:
        return size
    if hole.past(offset) != offset:
        return hole.end
    with file.open("rb") as stream:
        stream.seek(offset)
        while block := stream.read(BLOCK_BYTES):
            newline = block.find(b"\n")
            if newline >= 0:
                return hole.past(stream.tell() - len(block) + newline + 1)
    return size


def read_forward(
    file: Path, offset: int, max_lines: int, max_bytes: int = 4 * BLOCK_BYTES
) -> list[RawLine]:
    """Up to `max_lines` complete lines from `offset`, which must be the start of a line.

    Stops after about `max_bytes`, but returns one line at least when one is complete.
    """
    hole = hole_of(file)
    offset = hole.past(offset)
    end = hole.start if offset < hole.start else None  # the next call steps over the hole
    content = b""
    try:
        with file.open("rb") as stream:
            stream.seek(offset)
            seen = 0
            while seen < max_lines and (len(content) < max_bytes or not seen):
                left = BLOCK_BYTES if end is None else end - offset - len(content)
                block = stream.read(min(BLOCK_BYTES, left))
                if not block:
                    break
                content += block
                seen += block.count(b"\n")
    except FileNotFoundError:
        return []
    if b"\0" in content and hole_of(file) != hole:
        return read_forward(file, offset, max_lines, max_bytes)  # the hole grew meanwhile
    return _split(content, offset, max_lines)


def read_backward(file: Path, offset: int, max_lines: int) -> list[RawLine]:
    """The last `max_lines` complete lines that end at or before byte `offset`, oldest first."""
    hole = hole_of(file)
    end = min(offset, size_of(file))
    if hole.start < end <= hole.end:
        end = hole.start
    floor = hole.end if end > hole.end else 0
    start, content = end, b""
    if not end:
        return []
    with file.open("rb") as stream:
        # One newline more than lines: the one that ends the line before the first.
        while start > floor and content.count(b"\n") <= max_lines:
            step = min(BLOCK_BYTES, start - floor)
            start -= step
            stream.seek(start)
            content = stream.read(step) + content
    if b"\0" in content and hole_of(file) != hole:
        return read_backward(file, offset, max_lines)
    if start > floor:
        first = content.find(b"\n") + 1
        start, content = start + first, content[first:]
    found = _split(content, start)[-max_lines:]
    if start == floor and floor and len(found) < max_lines:
        return read_backward(file, hole.start, max_lines - len(found)) + found
    return found


def newlines_before(file: Path, offset: int) -> int:
    """How many lines end at or before byte `offset`: the number of the line there, less one."""
    size = size_of(file)
    offset = min(offset, size)
    if not offset:
        return 0
    hole = hole_of(file)
    offset = hole.past(offset)
    index = _index_of(file)
    with index.guard, file.open("rb") as stream:
        blocks = offset // BLOCK_BYTES
        index.extend(stream, hole, blocks)
        stream.seek(blocks * BLOCK_BYTES)
        rest = stream.read(offset - blocks * BLOCK_BYTES).count(b"\n")
        # The line that tells of the hole is one of those that are gone.
        gone = hole.lines - 1 if offset >= hole.end else 0
        return index.sums[blocks] + rest + gone


def start_of_line(file: Path, number: int) -> int:
    """Where line `number` (from 1) begins; the end of the last line when there are fewer.

    For a line that was given up: where the line begins that says so.
    """
    if number <= 1 or not size_of(file):
        return 0
    total_lines(file)
    index, hole = _index_of(file), hole_of(file)
    if hole.end:
        telling = read_backward(file, hole.start, 1)[0].offset
        first = newlines_before(file, telling) + 1
        if first <= number < first + hole.lines:
            return telling
        if number > first:
            number -= hole.lines - 1
    with index.guard:
        block = max(0, bisect_right(index.sums, number - 2) - 1)
        skipped = number - 1 - index.sums[block]
    offset = block * BLOCK_BYTES
    with file.open("rb") as stream:
        stream.seek(offset)
        content = b""
        while content.count(b"\n") < skipped and (more := stream.read(BLOCK_BYTES)):
            content += more
    at = 0
    for _ in range(skipped):
        at = content.find(b"\n", at) + 1
        if not at:
            return offset + content.rfind(b"\n") + 1
    return hole.past(offset + at)


def total_lines(file: Path) -> int:
    """Complete lines so far."""
    return newlines_before(file, size_of(file))


def _split(content: bytes, start: int, most: int = -1) -> list[RawLine]:
    """The complete lines in `content`, the first `most` of them: a block holds thousands."""
    lines = []
    for part in content.split(b"\n", most)[:-1]:
        end = start + len(part) + 1
        lines.append(RawLine(start, end, part))
        start = end
    return lines


def _index_of(file: Path) -> _Index:
    stat = file.stat()
    identity = (stat.st_dev, stat.st_ino)
    with _indexes_guard:
        index = _indexes.get(file)
        if index is None or index.identity != identity:
            index = _indexes[file] = _Index(identity)
        _indexes.move_to_end(file)
        while len(_indexes) > KEPT_INDEXES:
            _indexes.popitem(last=False)
        return index
