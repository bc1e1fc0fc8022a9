"""The loop that turns queued jobs into processes and their ends into outcomes.

Each tick of the leader: adopt what lives and is not watched, look at every live attempt, claim
for the free slots. Any number of supervisors may run; one leads, and a paused or a second one
changes nothing, because every write checks the lease's epoch and the job's attempt.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog
from sqlalchemy import select

from backend.database import DatabaseUnavailable, SessionFactory, again_on_conflict
from backend.jobs import service
from backend.jobs.lease import Lease, LostLease
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import LIVE, THIS_HOST, Slot
from backend.jobs.tables import JobRow
from backend.runner.attempt import Attempt, Desk
from backend.runner.claim import claim
from backend.runner.executors.executor import Executor
from backend.runner.executors.local import LocalExecutor
from backend.runner.fencing import fenced, reaching
from backend.runner.forgotten import remove_forgotten
from backend.runner.kinds import KINDS, Kind
from backend.runner.launch import launch
from backend.runner.leadership import Leadership
from backend.runner.orphans import end_orphans
from backend.runner.recovery import Reconciler
from backend.runner.room import BeforeTraining, Room, free_bytes
from backend.runner.slots import (
    Slots,
    free_places,
    slots_of,
    totals,
    variables_of,
    visible_gpus,
)
from backend.runner.timeouts import Timeouts
from backend.runner.wakeup import WakeUp
from backend.settings import Settings

STOP_WAIT_S = 15.0
LOST_RACE = (service.StaleAttempt, service.InvalidTransition, service.JobNotFound)

log = structlog.get_logger(__name__)

Key = tuple[UUID, int]


class Supervisor:
    """`run()` until cancelled or `stop()`ped; engines go on without it."""

    def __init__(
        self,
        settings: Settings,
        sessions: SessionFactory,
        *,
        before_training: BeforeTraining | None = None,
        kinds: dict[str, Kind] | None = None,
        timeouts: Timeouts | None = None,
        free: Callable[[], int] = free_bytes,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._kinds = kinds if kinds is not None else dict(KINDS)
        self._timeouts = timeouts or Timeouts.of(settings)
        self._room = Room(sessions, settings.runs_dir, self._timeouts, before_training, free)
        self._gpus = visible_gpus()
        # Host → who acts there, and what may live there at the same time.
        self._executors: dict[str, Executor] = {THIS_HOST: LocalExecutor(settings.runs_dir)}
        self._slots: Slots = {THIS_HOST: slots_of(settings, self._gpus)}
        self._leadership = Leadership(sessions, self._timeouts, totals(self._slots))
        self._wakeup = WakeUp()
        self._attempts: dict[Key, Attempt] = {}
        self._desk: Desk | None = None
        # Attempts that ended, and as of which of them forgotten jobs were removed.
        self._ends, self._swept = 0, -1
        self._stopping = False
        # Live jobs that this version, or this machine, can not watch; said once.
        self._strange: set[UUID] = set()
        # Jobs with run folders that the database does not know, as of the last take-over.
        self.unknown_runs: list[UUID] = []

    @property
    def leading(self) -> bool:
        """Whether this supervisor leads now; otherwise it stands by."""
        return self._leadership.lease is not None

    def wake(self) -> None:
        """Look at the queue now instead of at the next poll."""
        self._wakeup.ring()

    def stop(self) -> None:
        """Claim nothing more, finish what is being written, and return from `run`."""
        self._stopping = True
        self._wakeup.ring()

    async def run(self) -> None:
        """Lead when possible, for ever; survives absences of the database."""
        listening = asyncio.create_task(
            self._wakeup.listen(self._sessions.kw["bind"]), name="supervisor wake-up"
        )
        try:
            while not self._stopping:
                await self._wakeup.wait(await self._guarded_tick())
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self._leave()

    async def _guarded_tick(self) -> float:
        """One tick; returns the seconds until the next."""
        try:
            await self._tick()
        except LostLease:
            await self._stand_down()
        except DatabaseUnavailable as error:
            log.warning("database_away", cause=repr(error.__cause__))
            return self._timeouts.retry_s
        except Exception:  # whatever it is: a loop that has ended helps nobody
            log.exception("supervisor_trouble")
            return self._timeouts.tick_idle_s
        return self._timeouts.tick_live_s if self._attempts else self._timeouts.tick_idle_s

    async def _tick(self) -> None:
        lease = self._leadership.lease
        if lease is None:
            await self._stand_down()
            lease = await self._leadership.acquire()
            if lease is None:
                return
        # Begun again when the database went away in the middle of it.
        desk = self._desk = self._desk or await self._take_over(lease)
        async with reaching(self._sessions) as session:
            rows = list(await session.scalars(select(JobRow).where(JobRow.status.in_(LIVE))))
        self._forget_ended({(row.id, row.attempt) for row in rows})
        for row in rows:
            attempt = self._attempts.get((row.id, row.attempt)) or self._watch(desk, row, True)
            if attempt is not None and attempt.is_due():
                attempt.task = asyncio.create_task(self._guarded(attempt, attempt.step(row)))
        if self._swept != (ends := self._ends):
            await remove_forgotten(self._sessions, desk.lease, self._settings.runs_dir)
            self._swept = ends
        if self._stopping:
            return
        used = [(row.host, row.slot_index) for row in rows if row.slot is Slot.TRAINING]
        free = free_places(self._slots, Slot.TRAINING, used)
        head = await self._room.head(desk.lease, rows) if free else None
        for row in await self._claim(desk.lease, head):
            self._start(desk, row)
            if row.id == head:
                self._wakeup.ring()  # the next may start beside it

    @again_on_conflict
    async def _claim(self, lease: Lease, training: UUID | None) -> list[JobRow]:
        async with fenced(self._sessions, lease) as session:
            return await claim(session, lease, self._slots, {Slot.TRAINING: training})

    async def _take_over(self, lease: Lease) -> Desk:
        """Begin to lead: nothing may have ended unread, or compute unseen."""
        self._swept = -1
        reconciler = Reconciler(
            self._sessions, lease, self._settings.runs_dir, self._executors, self._kinds
        )
        self.unknown_runs = await reconciler.reconcile()
        await end_orphans(self._sessions, self._executors)
        return Desk(self._sessions, lease, self._timeouts)

    def _watch(self, desk: Desk, row: JobRow, adopted: bool) -> Attempt | None:
        kind, executor = self._kinds.get(row.kind), self._executors.get(row.host)
        if kind is None or executor is None:  # a newer version, or one with more machines, did it
            if row.id not in self._strange:
                log.error("not_ours", kind=row.kind, host=row.host, job=str(row.id))
            self._strange.add(row.id)
            return None
        folder = RunFolder.of(self._settings.runs_dir, row.id, row.attempt)
        attempt = Attempt(
            desk, executor, row.id, row.attempt, kind, folder, row.event_offset, adopted
        )
        self._attempts[row.id, row.attempt] = attempt
        if adopted:
            log.info("adopted", job=str(row.id), attempt=row.attempt)
        return attempt

    def _start(self, desk: Desk, row: JobRow) -> None:
        attempt = self._watch(desk, row, False)
        if attempt is None:
            return
        variables = variables_of(row.slot, row.slot_index, self._gpus)
        work = launch(attempt, row, self._settings.runs_dir, variables, self._room)
        attempt.task = asyncio.create_task(self._guarded(attempt, work))

    async def _guarded(self, attempt: Attempt, work: object) -> None:
        """Trouble with one run must not reach the others."""
        try:
            await work  # type: ignore[misc]
        except LostLease:
            self._leadership.lease = None
        except LOST_RACE as lost:
            log.info("lost_claim", job=str(attempt.job_id), attempt=attempt.number, why=str(lost))
            attempt.over = True
        except DatabaseUnavailable:
            self._wakeup.ring()
        except Exception:  # the per-run guard
            attempt.again_at = attempt.desk.clock() + self._timeouts.trouble_s
            log.exception("attempt_trouble", job=str(attempt.job_id), attempt=attempt.number)
        if attempt.over:
            self._ends += 1
            self._wakeup.ring()  # a slot is free

    def _forget_ended(self, live: set[Key]) -> None:
        for key, attempt in list(self._attempts.items()):
            idle = attempt.task is None or attempt.task.done()
            if idle and (attempt.over or key not in live):
                del self._attempts[key]
                if not attempt.over:  # its end was committed, and the answer to that lost
                    self._ends += 1

    async def _stand_down(self) -> None:
        """Lead no more: forget everything, touch nothing."""
        await self._leadership.drop(release=False)
        for attempt in self._attempts.values():
            if attempt.task is not None:
                attempt.task.cancel()
        tasks = [attempt.task for attempt in self._attempts.values() if attempt.task]
        await asyncio.gather(*tasks, return_exceptions=True)
        self._attempts.clear()
        self._desk = None

    async def _leave(self) -> None:
        """Finish what is being launched or written, then let the next one lead."""
        tasks = [a.task for a in self._attempts.values() if a.task and not a.task.done()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_WAIT_S)
            for task in late:
                task.cancel()
        try:
            await self._leadership.drop(release=True)
        except DatabaseUnavailable:
            log.info("lease_left_to_expire")
