"""Runs attempts as processes of this machine; the run folder is the one that everybody reads."""

import asyncio
import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from uuid import UUID

from backend.jobs.run_folder import RunFolder
from backend.processes.identity import ProcessIdentity, boot_id, carrying, find, is_child_alive
from backend.processes.spawn import Detached, environment, python_module, spawn
from backend.processes.stop import Force, send, stop_tree, tree
from backend.runner.executors.executor import Observation, Order, Remains, Sign
from backend.runner.kinds import Kind
from training_engine.contract.names import (
    NONCE_VARIABLE,
    RUN_DIR_VARIABLE,
    STOP_AND_SAVE_COMMAND,
    STOP_COMMAND,
)

HOST_MODULE = "training_engine"
# The kernel takes the engine first, then the backend, then the database.
ENGINE_OOM_SCORE = 500
HOST_OUTPUT_FILE = "host.log"
TAIL_BYTES = 2000
# In `exit.json`, where a run host would say how the engine ended.
REVOKED = "abandoned"
COMMANDS = {Order.SAVE: STOP_AND_SAVE_COMMAND, Order.STOP: STOP_COMMAND}
FORCES = {Order.TERMINATE: Force.TERMINATE, Order.KILL: Force.KILL}


def nonce_of(folder: RunFolder) -> str:
    """Marks the processes of one attempt; the same after a restart, and never used for another."""
    return hashlib.sha256(str(folder.path.resolve()).encode()).hexdigest()[:32]


class LocalExecutor:
    """Processes of this machine. Remembers those it started itself, to reap them."""

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._children: dict[RunFolder, Detached] = {}
        # Their attempt is over, they are about to exit: to be reaped when they have.
        self._leaving: list[Detached] = []

    async def start(
        self, folder: RunFolder, kind: Kind, variables: Mapping[str, str] | None = None
    ) -> None:
        """Spawn the run host in a session of its own, marked with the attempt's nonce."""
        extra = {
            **(variables or {}),
            NONCE_VARIABLE: nonce_of(folder),
            RUN_DIR_VARIABLE: str(folder.path),
        }
        process = await asyncio.to_thread(
            spawn,
            python_module(HOST_MODULE, str(folder.path), "--child", kind.module),
            cwd=folder.path,
            env=environment(online=kind.online, extra=extra),
            output=folder.path / HOST_OUTPUT_FILE,
            oom_score=ENGINE_OOM_SCORE,
            niceness=kind.niceness,
        )
        self._children[folder] = Detached(process)

    async def probe(
        self, folders: Collection[RunFolder] | None = None
    ) -> dict[RunFolder, Observation]:
        """Lock, identity and exit record tell; for None the environments of all processes."""
        self._leaving = [child for child in self._leaving if not child.ended()]
        if folders is None:
            folders = set(await asyncio.to_thread(lambda: [*_computing(self._runs_dir)]))
        return {folder: self._observe(folder) for folder in folders}

    async def signal(self, folder: RunFolder, order: Order, grace_s: float = 0.0) -> int:
        """Commands are files, force is signals to processes that were identified."""
        match order:
            case Order.SAVE | Order.STOP:
                folder.command(COMMANDS[order])
                return 1 if folder.is_locked() else 0
            case Order.TERMINATE | Order.KILL:
                return await asyncio.to_thread(_force, folder, FORCES[order])
            case Order.END:
                gone = await stop_tree(_identity(folder), nonce=nonce_of(folder), grace_s=grace_s)
                self._reap(folder)
                return 0 if gone else await asyncio.to_thread(_count, folder)
            case Order.REVOKE:
                return _revoke(folder)

    async def collect(self, folder: RunFolder) -> Remains:
        """All of it is here already."""
        self._reap(folder)
        return Remains(folder.exit_facts(), _tail(folder))

    def _observe(self, folder: RunFolder) -> Observation:
        sign = self._sign(folder)
        return Observation(sign, sign is Sign.ALIVE and _engine_is_dead(folder))

    def _sign(self, folder: RunFolder) -> Sign:
        child = self._children.get(folder)
        ended = child is not None and child.ended()
        if not folder.path.is_dir():
            return Sign.ABSENT
        identity = folder.identity()
        # Before it has said who it is we stay away from its lock: it may be about to take it.
        if identity is None and child is not None and not ended and not folder.exit_facts():
            return Sign.STARTING
        if folder.is_locked():
            return Sign.STARTING if identity is None else Sign.ALIVE
        facts = folder.exit_facts()
        # Revoked by us, and what followed from that may not be written yet.
        if facts is not None and not (identity is None and facts.get(REVOKED) is True):
            return Sign.ENDED
        if identity is None:
            return Sign.ABSENT
        same = identity.get("boot_id") in {boot_id(), ""}  # empty where a system does not tell
        return Sign.LOST if same else Sign.REBOOTED

    def _reap(self, folder: RunFolder) -> None:
        child = self._children.pop(folder, None)
        if child is not None and not child.ended():
            self._leaving.append(child)


def _identity(folder: RunFolder) -> ProcessIdentity | None:
    """The run host, while it lives."""
    identity = ProcessIdentity.from_facts(folder.identity())
    return identity if identity is not None and find(identity) else None


def _engine_is_dead(folder: RunFolder) -> bool:
    facts = folder.identity() or {}
    child, host = facts.get("child_pid"), _identity(folder)
    if host is None or not isinstance(child, int) or isinstance(child, bool) or child < 2:
        return False
    return not is_child_alive(host.pid, child)


def _count(folder: RunFolder) -> int:
    return len(tree(_identity(folder), nonce_of(folder)))


def _force(folder: RunFolder, force: Force) -> int:
    """Every process of the attempt but the run host."""
    identity = _identity(folder)
    processes = tree(identity, nonce_of(folder))
    return send([p for p in processes if identity is None or p.pid != identity.pid], force)


def _revoke(folder: RunFolder) -> int:
    """Close the folder under its lock, unless a run host holds it by now."""
    if not folder.path.is_dir():
        return 0
    with folder.taken() as ours:
        if ours:
            folder.close_for_good({REVOKED: True})
        return 0 if ours else 1


def _computing(runs_dir: Path) -> Iterator[RunFolder]:
    """Attempts for which a process lives, by what its environment says."""
    for _, value in carrying(RUN_DIR_VARIABLE):
        place = Path(value)
        if place.parent.parent != runs_dir:
            continue
        try:
            yield RunFolder.of(runs_dir, UUID(place.parent.name), int(place.name))
        except ValueError:
            continue


def _tail(folder: RunFolder) -> str:
    try:
        with (folder.path / HOST_OUTPUT_FILE).open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - TAIL_BYTES))
            return stream.read().decode(errors="replace").strip()
    except OSError:
        return ""
