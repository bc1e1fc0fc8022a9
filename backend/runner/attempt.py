"""One live attempt, as the supervisor watches it: launch, read, obey, check, finish.

Nothing here outlives the process: after a restart the row, the run folder and the lock tell the
same story again.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import func

from backend.database import SessionFactory, again_on_conflict
from backend.jobs import service
from backend.jobs.event_file import read_events
from backend.jobs.lease import Lease
from backend.jobs.log_file import size_of
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus, StopMode
from backend.jobs.tables import JobRow
from backend.runner import finish, ingest
from backend.runner.endings import Cause, Ending
from backend.runner.executors.executor import Executor, Observation, Order, Sign
from backend.runner.fencing import fenced
from backend.runner.kinds import Kind
from backend.runner.silence import Silence
from backend.runner.timeouts import Timeouts
from training_engine.contract.failpoints import reach

log = structlog.get_logger(__name__)

Clock = Callable[[], float]


@dataclass(frozen=True)
class Desk:
    """What every attempt of one leadership works with."""

    sessions: SessionFactory
    lease: Lease
    timeouts: Timeouts
    clock: Clock = time.monotonic


@dataclass
class Attempt:
    """What is known of a live attempt beyond its row."""

    desk: Desk
    executor: Executor
    job_id: UUID
    number: int
    kind: Kind
    folder: RunFolder
    offset: int
    adopted: bool
    since: float = field(init=False)
    silence: Silence = field(init=False)
    phase: str | None = None
    cause: Cause | None = None
    ended_at: float | None = None
    stop_given: StopMode | None = None
    force_at: float | None = None
    forced: Order | None = None
    over: bool = False
    # The database went away before anything was started for it.
    put_off: bool = False
    # Why it could not be started, until that is written.
    unlaunched: Ending | None = None
    # How often what it left could not be read.
    unreadable: int = 0
    # How often its end could not be written.
    tries: int = 0
    # After trouble: not before then.
    again_at: float = 0.0
    dead_since: float | None = None
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """It is launched, or found, now: its deadlines begin."""
        self.since = self.desk.clock()
        self.silence = Silence(self.since)

    def is_due(self) -> bool:
        """Whether it may be looked at now: not while something is under way, or just failed."""
        busy = self.task is not None and not self.task.done()
        return not busy and self.desk.clock() >= self.again_at

    async def step(self, row: JobRow) -> None:
        """Look at the attempt once and do what is due."""
        seen = (await self.executor.probe([self.folder]))[self.folder]
        self.phase = row.phase
        match seen.sign:
            case Sign.STARTING | Sign.ALIVE:
                await self._read_if_possible()
                await self._obey(row)
                await self._check_life(seen)
            case Sign.ENDED:
                await finish.finish(self, row, self.cause)
            case Sign.LOST | Sign.REBOOTED:
                rebooted = seen.sign is Sign.REBOOTED
                cause = self.cause or (Cause.REBOOTED if rebooted else Cause.LOST)
                await finish.finish(self, row, cause)
            case Sign.ABSENT:
                await finish.never_started(self, row)

    async def _read_if_possible(self) -> None:
        """What can not be read now must keep nobody from stopping it."""
        try:
            await self.read()
        except OSError as error:
            log.warning("events_unreadable", job=str(self.job_id), error=repr(error))

    async def read(self) -> None:
        """Take in everything that the engine has said by now; each stretch in its transaction.

        Not what it says meanwhile: one that says more than can be taken in would never be told
        to stop.
        """
        written = await asyncio.to_thread(size_of, self.folder.events_file)
        while self.offset < written:
            events, end = await asyncio.to_thread(read_events, self.folder.events_file, self.offset)
            if end == self.offset:
                return
            now = self.desk.clock()
            self.silence.broken(now)
            found = ingest.digest(events, self.folder)
            taken_in = await self._take_in(found, end)
            if taken_in != end:  # already, by whoever led before
                self.offset = taken_in
                continue
            self.offset = end
            self.phase = found.values.get("phase", self.phase)
            if found.ended and self.ended_at is None:
                self.ended_at = now

    @again_on_conflict
    async def _take_in(self, found: ingest.Digest, end: int) -> int:
        """Write a stretch of events that ends at `end`; returns up to where the row has them."""
        async with fenced(self.desk.sessions, self.desk.lease) as session:
            job = await service.hold(session, self.job_id, self.number)
            if job.event_offset != self.offset:
                return job.event_offset
            to = ingest.write(job, found, end)
            await session.flush()
            if to is not None:
                await service.move(session, self.job_id, self.number, to, "first_step")
            reach("ingest.before_commit")
        reach("ingest.committed")
        return end

    async def _obey(self, row: JobRow) -> None:
        """Pass a stop request on; after its time use force, ever harder."""
        times = self.desk.timeouts
        wanted = row.stop_requested
        if wanted is not None and wanted != self.stop_given:
            saves = wanted is StopMode.SAVE
            await self.executor.signal(self.folder, Order.SAVE if saves else Order.STOP)
            self.stop_given = wanted
            reach("stop.given")
            self._force_after(times.save_s if saves else times.terminate_s)
        if self.ended_at is not None and self.force_at is None:
            self._force_after(times.leave_s)
        if self.force_at is not None and self.desk.clock() >= self.force_at:
            await self._use_force()

    def _force_after(self, seconds: float) -> None:
        at = self.desk.clock() + seconds
        self.force_at = at if self.force_at is None else min(at, self.force_at)

    async def _use_force(self) -> None:
        """SIGTERM to the engine, then SIGKILL, then SIGKILL again until nothing is left."""
        self.forced = Order.TERMINATE if self.forced is None else Order.KILL
        count = await self.executor.signal(self.folder, self.forced)
        log.warning("forced", job=str(self.job_id), order=self.forced.value, processes=count)
        wait_s = self.desk.timeouts.terminate_s if self.forced is Order.TERMINATE else 2.0
        self.force_at = self.desk.clock() + wait_s

    async def _check_life(self, seen: Observation) -> None:
        """Alive is not enough: it has to start in time, and to get on."""
        times, now = self.desk.timeouts, self.desk.clock()
        if seen.sign is Sign.STARTING:
            if now - self.since > times.launch_s:
                self.cause = Cause.LAUNCH_TIMEOUT
                await self.executor.signal(self.folder, Order.END)
            return
        if seen.engine_dead:
            await self._reap_for_the_host(now)
            return
        self.dead_since = None
        if self.ended_at is not None or self.stop_given is not None:
            return  # its end is under way and has its own deadlines
        silent_s, limit_s = now - self.silence.heard_at, self.silence.limit_s(self.phase, times)
        if silent_s > limit_s and not self.silence.warned:
            self.silence.warned = True
            log.warning("no_progress", job=str(self.job_id), phase=self.phase, silent_s=silent_s)
            await self._note_stall()
        if silent_s > limit_s * times.hard_factor and self.cause is None:
            self.cause = Cause.HUNG
            self.forced = Order.TERMINATE  # it does not listen: begin with SIGKILL
            await self._use_force()
        elif self.cause is Cause.HUNG and self.force_at is not None and now >= self.force_at:
            await self._use_force()

    async def _reap_for_the_host(self, now: float) -> None:
        """A dead engine is not alive only because its host does not say so."""
        self.dead_since = now if self.dead_since is None else self.dead_since
        if now - self.dead_since > self.desk.timeouts.reap_s:
            log.warning("host_stuck", job=str(self.job_id), attempt=self.number)
            await self.executor.signal(self.folder, Order.END)

    @again_on_conflict
    async def _note_stall(self) -> None:
        async with fenced(self.desk.sessions, self.desk.lease) as session:
            job = await service.hold(session, self.job_id, self.number)
            job.stalled_since = func.now()
            if self.kind.stalled is not None:
                await self.kind.told(self.kind.stalled)(session, job)

    @again_on_conflict
    async def put_back(self) -> None:
        """To the queue again, as a new attempt: no engine was started for this one."""
        async with fenced(self.desk.sessions, self.desk.lease) as session:
            await service.relaunch(session, self.job_id, self.number, finish.NOT_LAUNCHED)
        self.over = True


def stopping(row: JobRow) -> bool:
    """Whether the user asked this attempt to end."""
    return row.stop_requested is not None or row.status == JobStatus.STOPPING
