"""Reads a growing log by byte offset: forwards, backwards, the last lines, and line numbers.

No request reads the whole file: a seek and a few blocks, and for line numbers one count of
newlines per block, kept in memory and extended as the file grows. Only lines that are complete
are ever returned; a torn last line waits for its end.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

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
    sums: list[int] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)


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
    size = size_of(file)
    if offset >= size:
        return size
    with file.open("rb") as stream:
        stream.seek(offset)
        while block := stream.read(BLOCK_BYTES):
            newline = block.find(b"\n")
            if newline >= 0:
                return stream.tell() - len(block) + newline + 1
    return size


def read_forward(
    file: Path, offset: int, max_lines: int, max_bytes: int = 4 * BLOCK_BYTES
) -> list[RawLine]:
    """Up to `max_lines` complete lines from `offset`, which must be the start of a line.

    Stops after about `max_bytes`, but returns one line at least when one is complete.
    """
    content = b""
    try:
        with file.open("rb") as stream:
            stream.seek(offset)
            seen = 0
            while seen < max_lines and (len(content) < max_bytes or not seen):
                block = stream.read(BLOCK_BYTES)
                if not block:
                    break
                content += block
                seen += block.count(b"\n")
    except FileNotFoundError:
        return []
    return _split(content, offset)[:max_lines]


def read_backward(file: Path, offset: int, max_lines: int) -> list[RawLine]:
    """The last `max_lines` complete lines that end at or before byte `offset`, oldest first."""
    end = min(offset, size_of(file))
    start, content = end, b""
    if not end:
        return []
    with file.open("rb") as stream:
        # One newline more than lines: the one that ends the line before the first.
        while start > 0 and content.count(b"\n") <= max_lines:
            step = min(BLOCK_BYTES, start)
            start -= step
            stream.seek(start)
            content = stream.read(step) + content
    if start > 0:
        first = content.find(b"\n") + 1
        start, content = start + first, content[first:]
    return _split(content, start)[-max_lines:]


def newlines_before(file: Path, offset: int) -> int:
    """How many lines end at or before byte `offset`: the number of the line there, less one."""
    size = size_of(file)
    offset = min(offset, size)
    if not offset:
        return 0
    index = _index_of(file)
    with index.guard, file.open("rb") as stream:
        blocks = offset // BLOCK_BYTES
        if len(index.counts) < blocks:
            stream.seek(len(index.counts) * BLOCK_BYTES)
            for _ in range(blocks - len(index.counts)):
                index.counts.append(stream.read(BLOCK_BYTES).count(b"\n"))
            index.sums = list(accumulate(index.counts, initial=0))
        stream.seek(blocks * BLOCK_BYTES)
        rest = stream.read(offset - blocks * BLOCK_BYTES).count(b"\n")
        return (index.sums[blocks] if blocks else 0) + rest


def total_lines(file: Path) -> int:
    """Complete lines so far."""
    return newlines_before(file, size_of(file))


def _split(content: bytes, start: int) -> list[RawLine]:
    lines = []
    for part in content.split(b"\n")[:-1]:
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
