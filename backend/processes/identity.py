"""Which process is meant: a pid alone is never proof, because pids are used again.

An identity is pid, start time in clock ticks since boot, and the boot. Every signal of the
platform goes to a process that was checked against one, or that carries a run's nonce.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from training_engine.contract.names import NONCE_VARIABLE

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class RefusedPid(ValueError):
    """Not a process that this platform may signal: 0, 1 and negative ones mean groups or init."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process of this host, for as long as it lives."""

    pid: int
    start_ticks: int
    boot_id: str

    @classmethod
    def from_facts(cls, facts: dict[str, Any] | None) -> "ProcessIdentity | None":
        """From `identity.json`; None when something is missing or is not what it should be."""
        if facts is None:
            return None
        try:
            pid = checked_pid(facts.get("pid"))
        except RefusedPid:
            return None
        ticks, boot = facts.get("start_ticks"), facts.get("boot_id")
        if not isinstance(ticks, int) or isinstance(ticks, bool) or not isinstance(boot, str):
            return None
        return cls(pid, ticks, boot)


def checked_pid(value: object) -> int:
    """`value` as a pid that may be signalled; raises `RefusedPid` for everything else."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 2:
        raise RefusedPid(f"refusing to touch process {value!r}")
    if value == os.getpid():
        raise RefusedPid("refusing to signal this very process")
    return value


def boot_id() -> str:
    """Differs after every start of the machine."""
    try:
        return BOOT_ID_FILE.read_text().strip()
    except OSError:
        return f"boot-{int(psutil.boot_time())}"


def start_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since boot (immune to changes of the clock)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[19])
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except (OSError, ValueError, IndexError):
        return None
    try:  # no /proc: macOS
        return int(psutil.Process(pid).create_time() * TICKS_PER_S)
    except psutil.Error:
        return None


def identify(pid: int) -> ProcessIdentity | None:
    """The identity of a living process; None when there is none."""
    ticks = start_ticks(pid)
    return ProcessIdentity(pid, ticks, boot_id()) if ticks is not None else None


def find(identity: ProcessIdentity) -> psutil.Process | None:
    """The process itself when it is alive and the very one; a zombie is not alive."""
    if identity.boot_id != boot_id() or identity.pid < 2:
        return None
    if start_ticks(identity.pid) != identity.start_ticks:
        return None
    try:
        process = psutil.Process(identity.pid)
        return process if process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def is_alive(identity: ProcessIdentity) -> bool:
    """Whether this very process lives; a zombie does not."""
    return find(identity) is not None


def is_child_alive(parent: int, pid: int) -> bool:
    """Whether `pid` is a living child of `parent`; a zombie is not, nor is a pid used again."""
    try:
        process = psutil.Process(pid)
        return process.ppid() == parent and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def carrying(variable: str) -> list[tuple[psutil.Process, str]]:
    """Living processes with a variable in their environment, and its value."""
    found = []
    for process in psutil.process_iter():
        try:
            value = process.environ().get(variable) if process.pid >= 2 else None
            if value is not None and process.status() != psutil.STATUS_ZOMBIE:
                found.append((process, value))
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or not ours to look into
    return found


def with_nonce(nonce: str) -> list[psutil.Process]:
    """Living processes that were started for a run, known by the nonce in their environment."""
    return [process for process, value in carrying(NONCE_VARIABLE) if value == nonce]


def describe_self() -> str:
    """This process for others on the host to judge: boot, pid namespace, pid, start."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = socket.gethostname()
    return f"{boot_id()} {namespace} {os.getpid()} {start_ticks(os.getpid())}"


def is_surely_dead(description: str) -> bool:
    """Whether a process described by `describe_self` is known to be dead.

    False when it can not be known from here: another machine, or another pid namespace.
    """
    mine, theirs = describe_self().split(), description.split()
    if len(theirs) < 4 or theirs[:2] != mine[:2]:
        return False
    if not (theirs[2].isdecimal() and theirs[3].isdecimal()):
        return False
    identity = ProcessIdentity(int(theirs[2]), int(theirs[3]), theirs[0])
    return not is_alive(identity)
