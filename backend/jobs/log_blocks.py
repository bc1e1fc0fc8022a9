"""A log in blocks of whole lines: block i holds the lines that begin in its stretch of the file."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backend.jobs.log_hole import hole_of

BLOCK_BYTES = 256 * 1024
MORE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole lines that follow each other; the first begins at `offset`."""

    offset: int
    lines: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Usually one stretch; two around a hole; none inside it. `whole`: no line can be added."""

    stretches: list[Stretch]
    whole: bool


def block_of(offset: int) -> int:
    """The block in which a line that begins at `offset` lies."""
    return offset // BLOCK_BYTES


def start_of_block(block: int) -> int:
    """The byte from which on lines belong to it."""
    return block * BLOCK_BYTES


def blocks_in(size: int) -> int:
    """How many blocks a log of `size` bytes has."""
    return -(-size // BLOCK_BYTES)


def read_block(stream: BinaryIO, file: Path, number: int, size: int) -> Block:
    """Block `number` of a log that is `size` bytes long."""
    start, end, hole = number * BLOCK_BYTES, (number + 1) * BLOCK_BYTES, hole_of(file)
    if hole.end <= start or end <= hole.start:
        found, whole = _stretch(stream, start, min(end, size), at_line=start in (0, hole.end))
        return Block(found, whole and end <= size)
    stretches: list[Stretch] = []
    whole = True
    if start < hole.start:
        stretches, _ = _stretch(stream, start, hole.start, at_line=not start)
    if hole.end < end:
        after, whole = _stretch(stream, hole.end, min(end, size), at_line=True)
        stretches += after
    return Block(stretches, whole and end <= size)


def _stretch(
    stream: BinaryIO, start: int, end: int, *, at_line: bool
) -> tuple[list[Stretch], bool]:
    """The lines that begin in [`start`, `end`), and whether the last of them is complete."""
    begin = start if at_line else start - 1
    stream.seek(begin)
    content = stream.read(max(0, end - begin))
    if not at_line:
        first = content.find(b"\n") + 1
        if not first:
            return [], True
        begin, content = begin + first, content[first:]
    complete = True
    if content and not content.endswith(b"\n"):
        pieces = [content]
        while piece := stream.read(MORE_BYTES):
            newline = piece.find(b"\n") + 1
            pieces.append(piece[:newline] if newline else piece)
            if newline:
                break
        content = b"".join(pieces)
        if not content.endswith(b"\n"):
            complete = False
            content = content[: content.rfind(b"\n") + 1]
    return ([Stretch(begin, content)] if content else []), complete
