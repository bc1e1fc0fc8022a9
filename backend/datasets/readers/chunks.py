"""A text file in pieces that can be read apart: whole lines, with their place in the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.datasets.rows import MAX_ROW_BYTES

CHUNK_BYTES = 4 * 1024 * 1024
# Looked at at once: what the cache of a core has room for.
LOOK_BYTES = 128 * 1024
# Of a line that is too long to be a row, what an excerpt is taken from.
HEAD_BYTES = 4096
LINE_FEED = 0x0A


class Chunk(NamedTuple):
    """Whole lines of a file; `first_line` counts from 1, `byte_offset` is where they begin.

    With `cut` it is the beginning of a single line that is longer than a row may be.
    """

    first_line: int
    byte_offset: int
    data: bytes
    cut: bool = False


class Span(NamedTuple):
    """Where a chunk lies: `size` bytes of the file. Small enough to be sent to another process,
    which reads them itself."""

    path: Path
    first_line: int
    byte_offset: int
    size: int
    cut: bool = False

    @property
    def done_bytes(self) -> int:
        """How much of the file is behind these lines."""
        return self.byte_offset + self.size

    def read(self) -> Chunk:
        """The lines themselves."""
        with self.path.open("rb") as file:  # buffered: one that is not may read less
            file.seek(self.byte_offset)
            data = file.read(self.size)
        return Chunk(self.first_line, self.byte_offset, data, self.cut)


def spans(path: Path, skip_bytes: int, size: int = CHUNK_BYTES) -> Iterator[Span]:
    """All of the file in pieces of at least `size` bytes each but the last; memory holds what is
    looked at, `LOOK_BYTES`."""
    line, lines, at, passing = 1, 0, skip_bytes, False
    begin = end = skip_bytes  # of the whole lines that are not yielded yet
    buffer = bytearray(min(size, LOOK_BYTES))
    with path.open("rb", buffering=0) as file:
        file.seek(skip_bytes)
        while read := file.readinto(buffer):
            first, look_begin, at = 0, at, at + read
            if passing:  # the rest of a line that is too long
                first = buffer.find(b"\n", 0, read) + 1
                begin = end = look_begin + (first or read)
                if not first:
                    continue
                line, passing = line + 1, False
            last = buffer.rfind(b"\n", first, read) + 1
            if last:
                end = look_begin + last
                lines += _count_lines(buffer, first, last)
            too_long = at - end >= MAX_ROW_BYTES
            if end - begin >= size or (too_long and end > begin):
                yield Span(path, line, begin, end - begin)
                line, lines, begin = line + lines, 0, end
            if too_long:
                yield Span(path, line, begin, HEAD_BYTES, cut=True)
                begin, end, passing = at, at, True
    if at > begin:
        yield Span(path, line, begin, at - begin)


def _count_lines(buffer: bytearray, begin: int, end: int) -> int:
    """Line feeds between two places of the buffer: numpy counts four times as fast as `count`."""
    import numpy as np  # who only names chunks needs none of it

    return int(np.count_nonzero(np.frombuffer(buffer, np.uint8)[begin:end] == LINE_FEED))


def chunks(path: Path, skip_bytes: int, size: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """All of the file, read in pieces of about `size` bytes; memory holds one."""
    return map(Span.read, spans(path, skip_bytes, size))


def blocks(data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines in smaller pieces of at least `size` bytes each but the last, and where each
    begins."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + size) + 1 or len(data)
        yield start, data[start:end]
        start = end
