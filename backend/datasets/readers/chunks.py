"""A text file in pieces that can be read apart: whole lines, with their place in the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.datasets.rows import MAX_ROW_BYTES

CHUNK_BYTES = 4 * 1024 * 1024
# Of a line that is too long to be a row, what an excerpt is taken from.
HEAD_BYTES = 4096


class Chunk(NamedTuple):
    """Whole lines of a file; `first_line` counts from 1, `byte_offset` is where they begin.

    With `cut` it is the beginning of a single line that is longer than a row may be.
    """

    first_line: int
    byte_offset: int
    data: bytes
    cut: bool = False

    @property
    def done_bytes(self) -> int:
        """How much of the file is behind these lines."""
        return self.byte_offset + len(self.data)


def chunks(path: Path, skip_bytes: int, size: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """All of the file in pieces of about `size` bytes; memory holds one."""
    line, offset, rest, passing = 1, skip_bytes, b"", False
    with path.open("rb", buffering=0) as file:
        file.seek(skip_bytes)
        while block := file.read(size):
            if passing:  # the rest of a line that is too long
                end = block.find(b"\n") + 1
                offset += end or len(block)
                if not end:
                    continue
                block, line, passing = block[end:], line + 1, False
            if end := block.rfind(b"\n") + 1:
                data, rest = rest + block[:end], block[end:]
                yield Chunk(line, offset, data)
                line += data.count(b"\n")
                offset += len(data)
            else:
                rest += block
            if len(rest) >= MAX_ROW_BYTES:
                yield Chunk(line, offset, rest[:HEAD_BYTES], cut=True)
                offset += len(rest)
                rest, passing = b"", True
    if rest:
        yield Chunk(line, offset, rest)


def blocks(chunk: Chunk, size: int) -> Iterator[Chunk]:
    """A chunk in smaller ones of whole lines, of at least `size` bytes each but the last."""
    line, start, data = chunk.first_line, 0, chunk.data
    while start < len(data):
        end = data.find(b"\n", start + size) + 1 or len(data)
        block = data[start:end]
        yield Chunk(line, chunk.byte_offset + start, block)
        line += block.count(b"\n")
        start = end
