"""Getting and keeping the supervisor's lease."""

import asyncio
import secrets
from collections.abc import Mapping

import structlog

from backend.database import (
    DatabaseUnavailable,
    SessionFactory,
    WriteConflict,
    again_on_conflict,
)
from backend.jobs import lease as leases
from backend.jobs.lease import Lease, LostLease
from backend.processes.identity import describe_self, is_surely_dead
from backend.runner.fencing import reaching
from backend.runner.timeouts import Timeouts

log = structlog.get_logger(__name__)


class Leadership:
    """Holds the lease while it can; `lease` is None as soon as it is known to be lost."""

    def __init__(
        self, sessions: SessionFactory, timeouts: Timeouts, slots: Mapping[str, int]
    ) -> None:
        """`slots`: how many of each kind this one will give out."""
        self._sessions = sessions
        self._timeouts = timeouts
        self._slots = slots
        self.holder = f"{describe_self()} {secrets.token_hex(4)}"
        self.lease: Lease | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def acquire(self) -> Lease | None:
        """The lease, when it is free, or when its holder is a process that is known to be dead."""
        async with reaching(self._sessions) as session:
            present = await leases.current(session)
            if present is not None and is_surely_dead(present.holder):
                log.info("lease_of_dead_holder", epoch=present.epoch)
                await leases.release(session, present)
            lease = await leases.acquire(session, self.holder, self._timeouts.lease_s, self._slots)
        if lease is not None:
            self.lease = lease
            self._renewing = asyncio.create_task(self._renew(lease), name="supervisor lease")
            log.info("leading", epoch=lease.epoch)
        return lease

    async def drop(self, *, release: bool) -> None:
        """Stop leading; `release` lets another one take over without waiting for the expiry."""
        lease, self.lease = self.lease, None
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
            self._renewing = None
        if release and lease is not None:
            async with reaching(self._sessions) as session:
                await leases.release(session, lease)

    @again_on_conflict
    async def _renew_once(self, lease: Lease) -> None:
        async with reaching(self._sessions) as session:
            await leases.renew(session, lease, self._timeouts.lease_s)

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._timeouts.renew_s)
            try:
                await self._renew_once(lease)
            except LostLease:
                log.warning("lease_lost", epoch=lease.epoch)
                self.lease = None
                return
            except (DatabaseUnavailable, WriteConflict):
                continue  # whoever takes over meanwhile fences us off
