"""A text file in pieces that can be read apart: whole lines, with their place in the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.datasets.rows import MAX_ROW_BYTES

CHUNK_BYTES = 4 * 1024 * 1024
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
    """All of the file in pieces of about `size` bytes; memory holds one."""
    line, begin, at, passing = 1, skip_bytes, skip_bytes, False
    buffer = bytearray(size)
    with path.open("rb", buffering=0) as file:
        file.seek(skip_bytes)
        while read := file.readinto(buffer):
            block_begin, at = at, at + read
            if passing:  # the rest of a line that is too long
                end = buffer.find(b"\n", 0, read) + 1
                begin = block_begin + (end or read)
                if not end:
                    continue
                line, passing = line + 1, False
            end = block_begin + buffer.rfind(b"\n", 0, read) + 1
            if end > max(begin, block_begin):
                yield Span(path, line, begin, end - begin)
                line += _count_lines(
                    buffer, max(begin, block_begin) - block_begin, end - block_begin
                )
                begin = end
            if at - begin >= MAX_ROW_BYTES:
                yield Span(path, line, begin, HEAD_BYTES, cut=True)
                begin, passing = at, True
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
