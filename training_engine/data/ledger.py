"""Which samples were consumed, in order: 8 bytes each, little-endian, appended step by step."""

import os
import shutil
from array import array
from collections.abc import Sequence
from pathlib import Path

BYTES_PER_SAMPLE = 8


class Ledger:
    """The ledger of one attempt; its offset goes into every checkpoint."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    @property
    def offset(self) -> int:
        """Bytes so far."""
        return os.fstat(self._file.fileno()).st_size

    def append(self, samples: Sequence[int]) -> None:
        """Note the samples of a step."""
        self._file.write(array("q", samples).tobytes())

    def sync(self) -> None:
        """Make sure it is on the disk; raises `OSError`."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def carry_over(source: Path, target: Path, offset: int) -> bool:
    """Begin a new attempt's ledger with the old one up to a checkpoint's offset.

    False when the old one is not there or too short; the caller then writes it from the order.
    """
    if not source.is_file() or source.stat().st_size < offset:
        return False
    if source.resolve() != target.resolve():
        shutil.copyfile(source, target)
    os.truncate(target, offset)
    return True


def read(path: Path) -> list[int]:
    """All sample ids of a ledger."""
    content = path.read_bytes()
    return array("q", content[: len(content) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE]).tolist()
