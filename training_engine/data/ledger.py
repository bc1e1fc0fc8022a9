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
        self._path = path

    @property
    def offset(self) -> int:
        """Bytes so far."""
        return self._path.stat().st_size if self._path.exists() else 0

    def append(self, samples: Sequence[int]) -> None:
        """Note the samples of a step."""
        with self._path.open("ab") as file:
            file.write(array("q", samples).tobytes())

    def sync(self) -> None:
        """Make sure it is on the disk; raises `OSError`."""
        with self._path.open("ab") as file:
            os.fsync(file.fileno())


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
