"""What an ended engine left behind: found by descent, session and nonce, and killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from training_engine.contract.names import NONCE_VARIABLE

PROC = Path("/proc")


def survivors(child: int, nonce: str) -> list[int]:
    """Processes the child left behind: orphans given to us, its session, carriers of the nonce."""
    host, found = os.getpid(), []
    ours = set(_ancestors(host))
    mark = f"{NONCE_VARIABLE}={nonce}".encode()
    for pid in _processes():
        fields = stat_fields(pid)
        if pid in ours or pid < 2 or fields is None or fields[0] == "Z":
            continue
        parent, session = int(fields[1]), int(fields[3])
        if parent == host or session == child or mark in _environ(pid).split(b"\0"):
            found.append(pid)
    return found


def kill_survivors(child: int, nonce: str) -> int:
    """SIGKILL to whatever the ended child left; returns how many there were."""
    if not PROC.joinpath("self/stat").exists():
        try:
            os.killpg(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return 0
        return 1
    left = survivors(child, nonce)
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(left)


def _processes() -> Iterator[int]:
    return (int(entry) for entry in os.listdir(PROC) if entry.isdecimal())  # noqa: PTH208


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        fields = stat_fields(pid)
        pid = int(fields[1]) if fields else 0


def stat_fields(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on; the name before may hold anything."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return None


def _environ(pid: int) -> bytes:
    try:
        return (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""
