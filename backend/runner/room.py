"""Whether main memory lasts for the next training, and what is done while it does not.

A training waits only for what the platform itself will give back: the playground's worker is
unloaded first, then it waits for other runs. When nothing of ours is left to wait for, it starts:
its owner was told that it may not fit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeGuard
from uuid import UUID

import structlog

from backend.database import SessionFactory, again_on_conflict
from backend.jobs.lease import Lease
from backend.jobs.queue import next_in_line
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import THIS_HOST, JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.processes.identity import ProcessIdentity
from backend.processes.usage import usage
from backend.runner.fencing import fenced, reaching
from backend.runner.timeouts import Timeouts
from backend.system import host

BeforeTraining = Callable[[], Awaitable[None]]
# Less than this part of what is missing is not worth waiting for: a small import beside a large
# model.
WORTH_WAITING = 0.1
# The reason is written again when the free memory has changed by this part of the need.
NOTEWORTHY = 0.1

log = structlog.get_logger(__name__)


def free_bytes() -> int:
    """Main memory that a new process can have now."""
    memory = host.memory()
    return memory.total_bytes - memory.used_bytes


def _waits_for_memory(wait: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    """Whether what is written down is this reason and not another."""
    return wait is not None and wait["reason"] == "host_memory"


class Room:
    """Memory for trainings. `unload` makes the playground give its memory back."""

    def __init__(
        self,
        sessions: SessionFactory,
        runs_dir: Path,
        timeouts: Timeouts,
        unload: BeforeTraining | None,
        free: Callable[[], int] = free_bytes,
    ) -> None:
        self._sessions = sessions
        self._runs_dir = runs_dir
        self._timeouts = timeouts
        self._unload = unload
        self._free = free

    async def unload(self) -> None:
        """Ask for the playground's memory; that this fails must not keep a run waiting."""
        if self._unload is None:
            return
        work = asyncio.ensure_future(self._unload())
        await asyncio.wait({work}, timeout=self._timeouts.hook_s)
        if not work.done():
            work.cancel()
            log.warning("before_training_late", timeout_s=self._timeouts.hook_s)
        elif not work.cancelled() and work.exception() is not None:
            log.warning("before_training_failed", error=repr(work.exception()))

    async def head(self, lease: Lease, live: Sequence[JobRow], total: int) -> UUID | None:
        """The one waiting training that may be claimed now; None while none may.

        `live` are the jobs that live now, `total` the slots for trainings. Only a training that
        was measured beside the ones before it starts: one that is queued while this looks has its
        turn with the next look.
        """
        if sum(job.slot is Slot.TRAINING for job in live) >= total:
            return None
        async with reaching(self._sessions) as session:
            first = next_in_line(Slot.TRAINING).with_only_columns(JobRow).limit(1)
            head = await session.scalar(first)
        if head is None:
            return None
        if head.memory_bytes is not None and await self._waits(
            lease, head, head.memory_bytes, live
        ):
            return None
        return head.id

    async def _waits(self, lease: Lease, head: JobRow, needed: int, live: Sequence[JobRow]) -> bool:
        available, held = await asyncio.to_thread(self._look, live)
        if available >= needed:
            return False
        if not _waits_for_memory(head.wait):  # once; while it waits the playground may be used
            await self.unload()
            available, held = await asyncio.to_thread(self._look, live)
        if available >= needed or held < WORTH_WAITING * (needed - available):
            return False
        await self._tell(lease, head, needed, max(0, available))
        return True

    def _look(self, live: Sequence[JobRow]) -> tuple[int, int]:
        """Bytes that a new run can have, and bytes that runs of ours will give back.

        What a run was expected to need and has not taken yet is as good as taken.
        """
        available, held = self._free(), 0
        for job in live:
            if job.host != THIS_HOST:  # what it holds is not of this machine
                continue
            folder = RunFolder.of(self._runs_dir, job.id, job.attempt)
            identity = ProcessIdentity.from_facts(folder.identity())
            taken = usage(identity).memory_bytes if identity is not None else 0
            promised = max(taken, job.memory_bytes or 0)
            available -= promised - taken
            held += promised
        return available, held

    @again_on_conflict
    async def _tell(self, lease: Lease, head: JobRow, needed: int, available: int) -> None:
        """Write down why it waits, for whoever looks at the queue."""
        known = head.wait["params"]["available_bytes"] if _waits_for_memory(head.wait) else None
        if known is not None and abs(known - available) < NOTEWORTHY * needed:
            return
        params = {"needed_bytes": needed, "available_bytes": available}
        wait: dict[str, Any] = {"reason": "host_memory", "params": params}
        async with fenced(self._sessions, lease) as session:
            job = await session.get(JobRow, head.id, with_for_update=True)
            if job is None or (job.status, job.attempt) != (JobStatus.PENDING, head.attempt):
                return
            job.wait = wait
        if not _waits_for_memory(head.wait):
            log.info("waits_for_memory", job=str(head.id), **params)
