"""Runs jobs as processes of this host, behind four calls: start, probe, signal, collect.

Another machine is another executor with the same four.
"""

import asyncio
import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from backend.jobs.run_folder import RunFolder
from backend.processes.identity import ProcessIdentity, boot_id, find, is_child_alive
from backend.processes.spawn import environment, let_go, python_module, spawn
from backend.processes.stop import Force, send, stop_tree, tree
from backend.runner.kinds import Kind
from training_engine.contract.names import NONCE_VARIABLE, RUN_DIR_VARIABLE

HOST_MODULE = "training_engine"
# The kernel takes the engine first, then the backend, then the database.
ENGINE_OOM_SCORE = 500
HOST_OUTPUT_FILE = "host.log"
TAIL_BYTES = 2000


class Sign(Enum):
    """What local evidence says of an attempt; the lock is the primary proof of life."""

    STARTING = "starting"  # launched, has not said who it is
    ALIVE = "alive"
    ENDED = "ended"  # `exit.json` says how
    LOST = "lost"  # nobody was left to say how
    REBOOTED = "rebooted"  # lost, and the machine was started since
    ABSENT = "absent"  # never started, or its folder is gone


@dataclass(frozen=True)
class Remains:
    """What an ended attempt left: facts of its end, and what the run host itself complained."""

    exit_facts: dict[str, Any] | None
    host_output: str


def nonce_of(folder: RunFolder) -> str:
    """Marks the processes of one attempt; the same after a restart, and never used for another."""
    return hashlib.sha256(str(folder.path.resolve()).encode()).hexdigest()[:32]


class LocalExecutor:
    """Processes of this host. Keeps a handle of those it started itself, to reap them."""

    def __init__(self) -> None:
        self._children: dict[RunFolder, subprocess.Popen[bytes]] = {}
        # Their attempt is over, they are about to exit: to be reaped when they have.
        self._leaving: list[subprocess.Popen[bytes]] = []

    async def start(
        self, folder: RunFolder, kind: Kind, variables: Mapping[str, str] | None = None
    ) -> None:
        """Launch the run host for a folder that has its spec; raises `OSError`."""
        extra = {
            **(variables or {}),
            NONCE_VARIABLE: nonce_of(folder),
            RUN_DIR_VARIABLE: str(folder.path),
        }
        self._children[folder] = await asyncio.to_thread(
            spawn,
            python_module(HOST_MODULE, str(folder.path), "--child", kind.module),
            cwd=folder.path,
            env=environment(online=kind.online, extra=extra),
            output=folder.path / HOST_OUTPUT_FILE,
            oom_score=ENGINE_OOM_SCORE,
            niceness=kind.niceness,
        )

    def probe(self, folder: RunFolder) -> Sign:
        """Whether the attempt lives, from evidence on this host only."""
        self._leaving = [process for process in self._leaving if process.poll() is None]
        child = self._children.get(folder)
        ended = child is not None and child.poll() is not None
        if not folder.path.is_dir():
            return Sign.ABSENT
        identity = folder.identity()
        # Before it has said who it is we stay away from its lock: it may be about to take it.
        if identity is None and child is not None and not ended and not folder.exit_facts():
            return Sign.STARTING
        if folder.is_locked():
            return Sign.ALIVE
        if folder.exit_facts() is not None:
            return Sign.ENDED
        if identity is None:
            return Sign.ABSENT
        same = identity.get("boot_id") in {boot_id(), ""}  # empty where a system does not tell
        return Sign.LOST if same else Sign.REBOOTED

    def engine_is_dead(self, folder: RunFolder) -> bool:
        """Whether the engine has ended and only waits for its run host to notice."""
        facts = folder.identity() or {}
        child, host = facts.get("child_pid"), self._identity(folder)
        if host is None or not isinstance(child, int) or isinstance(child, bool) or child < 2:
            return False
        return not is_child_alive(host.pid, child)

    def signal(self, folder: RunFolder, force: Force) -> int:
        """Signal every process of the attempt but the run host, which is to say how it ended.

        Returns how many there were.
        """
        identity = self._identity(folder)
        processes = tree(identity, nonce_of(folder))
        return send([p for p in processes if identity is None or p.pid != identity.pid], force)

    async def end(self, folder: RunFolder, grace_s: float) -> bool:
        """Terminate, wait, kill whatever is left of an attempt; True when nothing lives."""
        gone = await stop_tree(self._identity(folder), nonce=nonce_of(folder), grace_s=grace_s)
        self._reap(folder)
        return gone

    def collect(self, folder: RunFolder) -> Remains:
        """What an ended attempt left behind; forgets its process."""
        self._reap(folder)
        return Remains(folder.exit_facts(), _tail(folder))

    def detach(self) -> None:
        """Leave all processes to themselves: they outlive this one."""
        for child in (*self._children.values(), *self._leaving):
            let_go(child)
        self._children.clear()
        self._leaving.clear()

    def _identity(self, folder: RunFolder) -> ProcessIdentity | None:
        identity = ProcessIdentity.from_facts(folder.identity())
        return identity if identity is not None and find(identity) else None

    def _reap(self, folder: RunFolder) -> None:
        child = self._children.pop(folder, None)
        if child is not None and child.poll() is None:
            self._leaving.append(child)


def _tail(folder: RunFolder) -> str:
    try:
        with (folder.path / HOST_OUTPUT_FILE).open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - TAIL_BYTES))
            return stream.read().decode(errors="replace").strip()
    except OSError:
        return ""
