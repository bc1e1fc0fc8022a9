"""Wakes the supervisor: at once from this process, by a hint from the database, else by the clock.

Notifications are hints and may be lost; the poll is the safety net.
"""

import asyncio
from typing import Any

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database import DatabaseUnavailable
from backend.jobs.service import WAKE_CHANNEL

RETRY_S = 5.0
AWAY = (
    DatabaseUnavailable,
    DBAPIError,
    PoolTimeout,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)

log = structlog.get_logger(__name__)


class WakeUp:
    """`wait` returns when somebody rang, or after its time."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """There is something to do."""
        self._event.set()

    async def wait(self, timeout_s: float) -> None:
        """Until the next ring, at most `timeout_s`."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return
        finally:
            self._event.clear()

    async def listen(self, engine: AsyncEngine) -> None:
        """Ring with every notification, for ever; connects again when the database went away."""
        while True:
            try:
                await self._listen_once(engine)
            except AWAY as error:
                log.info("not_listening", error=repr(error))
            self.ring()  # what was said meanwhile was not heard
            await asyncio.sleep(RETRY_S)

    async def _listen_once(self, engine: AsyncEngine) -> None:
        closed = asyncio.Event()
        async with engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None

            def heard(*_: Any) -> None:
                self._event.set()

            def gone(*_: Any) -> None:
                closed.set()

            await raw.add_listener(WAKE_CHANNEL, heard)
            raw.add_termination_listener(gone)
            self.ring()
            try:
                await closed.wait()
            finally:
                raw.remove_termination_listener(gone)
                # Never back into the pool: a listening connection belongs to nobody else.
                await connection.invalidate()
