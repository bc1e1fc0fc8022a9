"""How much may come out of an archive; whatever is beyond is refused before or while it unpacks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backend.datasets.rows import UnreadableFile

MAX_ENTRIES = 1000
MAX_RATIO = 100
# A tiny file of one repeated letter has any ratio and does no harm.
HARMLESS_BYTES = 1024 * 1024
BLOCK_BYTES = 256 * 1024

# Told how many bytes of the archive are done; may raise to end it.
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Unpacked:
    """A file that came out of an archive: where it lies, and what it is called in there."""

    path: Path
    name: str


@dataclass(frozen=True)
class LeftOut:
    """A file that is not imported, and why."""

    name: str
    reason: str


def refused(code: str, message: str, hint: str, **params: str | int) -> UnreadableFile:
    """The archive can not be used."""
    return UnreadableFile(code, message, hint, params=dict(params))


def damaged(reason: str) -> UnreadableFile:
    """The archive is not whole, or not in order."""
    return refused(
        "broken_archive",
        f"The archive is damaged: {reason}.",
        "Pack the files again, or upload them without packing them.",
    )


def unsafe(reason: str) -> UnreadableFile:
    """The archive is made in a way that nobody makes by accident."""
    return refused(
        "unsafe_archive",
        f"The archive is not safe to unpack: {reason}.",
        "Pack only the data files again, or upload them without packing them.",
    )


def too_large(reason: str) -> UnreadableFile:
    """More comes out of the archive than there is room for."""
    return refused(
        "archive_too_large",
        f"The archive holds too much: {reason}.",
        "Upload the files in several smaller archives, or unpacked.",
    )


def nested(name: str) -> UnreadableFile:
    """Archives in archives are not unpacked."""
    return refused(
        "nested_archive",
        f"The archive holds another archive (“{name[:100]}”), which is not unpacked.",
        "Unpack it first, then upload the data files, in one ZIP archive if they are several.",
        file=name[:100],
    )


class Meter:
    """Counts what comes out against what went in and against the room there is."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._max = max_bytes

    def require(self, unpacked_bytes: int, packed_bytes: int) -> None:
        """Raise `UnreadableFile` when so much may not come out of so little."""
        if unpacked_bytes > MAX_RATIO * packed_bytes + HARMLESS_BYTES:
            raise unsafe(f"it unpacks to more than {MAX_RATIO} times its size")
        if unpacked_bytes > self._max:
            raise too_large(f"more than {self._max // 10**6} MB")

    def write(self, file: BinaryIO, block: bytes) -> None:
        """Write what came out; raises `UnreadableFile` when there is no room for it."""
        self._left -= len(block)
        if self._left < 0:
            raise too_large(f"more than {self._max // 10**6} MB")
        file.write(block)
