"""The processes that a run consists of, and the memory that they hold together."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from training_engine.run_host.survivors import PROC


def peak_bytes(root: int) -> int:
    """The highest resident sizes so far of `root` and its living descendants, summed.

    Pages that several of them map count once for each. 0 where the system does not tell.
    """
    return sum(_peak_of(pid) for pid in (root, *_descendants(root)))


def _descendants(pid: int) -> Iterator[int]:
    """Found from parent to child; a process lists its children by the thread that made them."""
    threads = PROC / str(pid) / "task"
    with suppress(OSError):  # it has ended in the meantime
        for thread in os.listdir(threads):  # noqa: PTH208
            for child in _numbers(threads / thread / "children"):
                yield child
                yield from _descendants(child)


def _numbers(file: Path) -> list[int]:
    try:
        return [int(number) for number in file.read_text().split()]
    except OSError:
        return []


def _peak_of(pid: int) -> int:
    try:
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return 0
    return 0
