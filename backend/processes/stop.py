"""Stops whole trees of processes, and only those that were identified."""

import asyncio
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum

import psutil

from backend.processes.identity import ProcessIdentity, checked_pid, find, with_nonce

POLL_S = 0.05


class Force(Enum):
    """How hard to ask."""

    TERMINATE = signal.SIGTERM
    KILL = signal.SIGKILL


def tree(identity: ProcessIdentity | None, nonce: str | None = None) -> list[psutil.Process]:
    """The identified process, its descendants, and every process that carries `nonce`.

    Empty when the pid now belongs to somebody else and nobody carries the nonce.
    """
    found: dict[int, psutil.Process] = {}
    if identity is not None:
        checked_pid(identity.pid)
        root = find(identity)
        if root is not None:
            found[root.pid] = root
            with suppress(psutil.Error):  # it may end while we look
                found.update({child.pid: child for child in root.children(recursive=True)})
    for process in with_nonce(nonce) if nonce else ():
        found.setdefault(process.pid, process)
    return list(found.values())


def send(processes: Iterable[psutil.Process], force: Force) -> int:
    """Signal each; psutil checks once more that the pid was not used again. Returns how many."""
    count = 0
    for process in processes:
        checked_pid(process.pid)
        try:
            process.send_signal(force.value)
            count += 1
        except psutil.Error:
            continue  # gone
    return count


async def stop_tree(
    identity: ProcessIdentity | None, *, nonce: str | None = None, grace_s: float = 10.0
) -> bool:
    """Terminate the tree, wait up to `grace_s`, kill what is left; True when none lives.

    Looks again while it waits, so that a child born meanwhile does not survive.
    """
    deadline = time.monotonic() + grace_s
    seen: dict[int, psutil.Process] = {}
    asked: set[int] = set()
    while (left := await _living(seen, identity, nonce)) and time.monotonic() < deadline:
        send((process for process in left if process.pid not in asked), Force.TERMINATE)
        asked.update(process.pid for process in left)
        await _gone(left, min(0.5, max(POLL_S, deadline - time.monotonic())))
    for _ in range(20):
        if not (left := await _living(seen, identity, nonce)):
            return True
        send(left, Force.KILL)
        await _gone(left, 0.5)
    return False


async def _living(
    seen: dict[int, psutil.Process], identity: ProcessIdentity | None, nonce: str | None
) -> list[psutil.Process]:
    """The tree now, and what was in it before: a child may outlive the parent that led to it."""
    for process in await asyncio.to_thread(tree, identity, nonce):
        seen.setdefault(process.pid, process)
    return [process for process in seen.values() if _lives(process)]


async def _gone(processes: list[psutil.Process], timeout_s: float) -> None:
    """Wait until none of `processes` lives, at most `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while any(_lives(process) for process in processes) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(POLL_S)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
