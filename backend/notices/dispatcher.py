"""The loop that has messages sent: beside the requests, in any number of processes."""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from backend.database import (
    DatabaseUnavailable,
    SessionFactory,
    WriteConflict,
    again_on_conflict,
    transaction,
)
from backend.notices import delivery, sender
from backend.notices.delivery import BACKOFF_S, Due
from backend.notices.sealed import Seal
from backend.notices.sender import Outcome

LOOK_EVERY_S = 4.0
TIDY_EVERY_S = 3600.0
UNREADABLE = Outcome("unreadable_secret")

log = structlog.get_logger(__name__)


class Dispatcher:
    """`run()` until cancelled. Being cancelled or killed loses nothing: leases end."""

    def __init__(
        self,
        sessions: SessionFactory,
        seal: Seal,
        *,
        public_url: str | None,
        private: Sequence[str],
        backoff_s: Sequence[float] = BACKOFF_S,
    ) -> None:
        self._sessions, self._seal = sessions, seal
        self._public_url, self._private = public_url, private
        self._backoff_s = backoff_s

    async def run(self) -> None:
        """Look for what is due, for ever; survives absences of the database."""
        clock = asyncio.get_running_loop().time
        tidy_at = clock()
        while True:
            count = 0
            try:
                if clock() >= tidy_at:
                    await self._tidy()
                    tidy_at = clock() + TIDY_EVERY_S
                count = await self.once()
            except (DatabaseUnavailable, WriteConflict, SQLAlchemyError, OSError) as error:
                log.warning("notices_wait", error=type(error).__name__)
            if count < delivery.AT_ONCE:
                await asyncio.sleep(LOOK_EVERY_S)

    async def once(self) -> int:
        """Send what is due now, a handful at most; returns how many."""
        taken = await self._take()
        if not taken:
            return 0
        messages = [due.message for due in taken if due.message is not None]
        outcomes = await sender.send(messages, self._private) if messages else {}
        for due in taken:
            outcome = outcomes.get(f"{due.id}", UNREADABLE)
            await self._settle(due, outcome)
            if not outcome.ok:
                log.warning(
                    "notice_not_delivered",
                    delivery=f"{due.id}",
                    attempt=due.attempt,
                    code=outcome.code,
                )
        return len(taken)

    @again_on_conflict
    async def _take(self) -> list[Due]:
        async with transaction(self._sessions) as session:
            tries = len(self._backoff_s) + 1
            return await delivery.take(session, self._seal, self._public_url, tries)

    @again_on_conflict
    async def _settle(self, due: Due, outcome: Outcome) -> None:
        async with transaction(self._sessions) as session:
            await delivery.settle(session, due, outcome, self._backoff_s)

    @again_on_conflict
    async def _tidy(self) -> None:
        async with transaction(self._sessions) as session:
            await delivery.forget_old(session)
