"""What a run host writes about itself: `identity.json` at the start, `exit.json` at the end."""

import json
import os
import time
from pathlib import Path
from typing import Any

RESERVED_BYTES = 4096
# With less than this an engine can hardly say why it failed, let alone save.
FULL_BYTES = 64 * 1024


def write_whole(file: Path, facts: dict[str, Any]) -> None:
    """Write beside, sync, rename: the file appears complete or not at all."""
    beside = file.with_name(f".{file.name}.tmp")
    with beside.open("wb") as stream:
        stream.write(json.dumps(facts).encode())
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)


class ReservedRecord:
    """A small file that takes its room on the disk now, to be written when there is none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._beside = file.with_name(f".{file.name}.tmp")
        with self._beside.open("wb") as stream:
            stream.write(b" " * RESERVED_BYTES)
            stream.flush()
            os.fsync(stream.fileno())

    def write(self, facts: dict[str, Any]) -> None:
        """Put the facts in the reserved room and give the file its name."""
        content = json.dumps(facts).encode()
        with self._beside.open("r+b") as stream:
            stream.write(content)
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())
        self._beside.replace(self._file)


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder has no room left; False where nobody can tell."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < FULL_BYTES


# A process that the kernel killed is gone within this; a kill before that was of another.
RECENT_S = 10.0


class OutOfMemoryCount:
    """Whether the kernel has just killed for memory among the processes of our control group.

    The group's counter knows kills by its own limit and by the whole machine's; the machine's
    counter, which also counts strangers, is asked only where no group tells.
    """

    def __init__(self) -> None:
        self._older = self._newer = self._read()
        self._looked_at = time.monotonic()

    def look(self) -> None:
        """Call every now and then: what was counted longer ago than `RECENT_S` is forgotten."""
        if time.monotonic() - self._looked_at >= RECENT_S:
            self._older, self._newer = self._newer, self._read()
            self._looked_at = time.monotonic()

    def increased(self) -> bool:
        """Whether it killed just now."""
        now = self._read()
        return now is not None and self._older is not None and now > self._older

    @staticmethod
    def _read() -> int | None:
        group = _counter(memory_counter())
        return _counter(Path("/proc/vmstat")) if group is None else group


def memory_counter() -> Path:
    """`memory.events` (cgroup v2) or `memory.oom_control` (v1) of this process."""
    root = Path("/sys/fs/cgroup")
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return root / "memory.events"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return root / "memory" / path.lstrip("/") / "memory.oom_control"
    own = next((line.split(":", 2)[2] for line in lines if line.startswith("0::")), "/")
    return root / own.lstrip("/") / "memory.events"


def _counter(file: Path) -> int | None:
    """The number after `oom_kill` in a file of `name number` lines."""
    try:
        for line in file.read_text().splitlines():
            name, _, number = line.partition(" ")
            if name == "oom_kill":
                return int(number)
    except (OSError, ValueError):
        return None
    return None
