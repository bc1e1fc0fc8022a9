"""Rows that were read one after the other, in blocks that can be converted apart."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backend.datasets.rows import RawRow

BLOCK_ROWS = 1000
# Of rows this large a block has few, so that memory stays flat.
BLOCK_BYTES = 4 * 1024 * 1024
# What an excerpt is taken from.
HEAD_BYTES = 1000


@dataclass(slots=True)
class RowBlock:
    """Some consecutive rows; `done_bytes` is how much of the file is behind the last one's
    beginning."""

    read: list[RawRow]
    done_bytes: int

    def rows(self) -> Iterator[RawRow]:
        """The rows."""
        return iter(self.read)


def blocks_of(rows: Iterable[RawRow]) -> Iterator[RowBlock]:
    """All rows of a text file, in order."""
    block: list[RawRow] = []
    begin = 0
    for row in rows:
        row.raw = row.raw[:HEAD_BYTES]
        block.append(row)
        here = row.byte_offset or 0
        if len(block) == BLOCK_ROWS or here - begin >= BLOCK_BYTES:
            yield RowBlock(block, here)
            block, begin = [], here
    if block:
        yield RowBlock(block, block[-1].byte_offset or 0)
