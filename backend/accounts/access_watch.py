"""Whether those who read a stream still may: asked again every few seconds, for all of them.

A stream may last for days, and what ends a session must end it too. Each session is asked for
once, however many streams it has, and one after another, so that a thousand readers never wait for
the database together.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from backend.accounts.authentication import authenticate, credential
from backend.errors import Forbidden, Unauthenticated, Unavailable

CHECK_EVERY_S = 30.0

log = structlog.get_logger(__name__)


@dataclass
class Access:
    """A session as it was a moment ago; `request` is any of those that it sent."""

    request: Request
    allowed: bool = True
    readers: int = 0


class AccessWatch:
    """Asks as long as anybody reads; `told` is called when somebody may no longer."""

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told
        self._held: dict[Hashable, Access] = {}
        self._asking: asyncio.Task[None] | None = None
        self._nobody = asyncio.Event()

    @contextmanager
    def reading(self, request: Request) -> Iterator[Access]:
        """What becomes of the right to read of whoever sent `request`, during the block."""
        key = credential(request)
        access = self._held.setdefault(key, Access(request))
        access.readers += 1
        self._nobody.clear()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="access watch")
        try:
            yield access
        finally:
            access.readers -= 1
            if not access.readers and self._held.get(key) is access:
                del self._held[key]
            if not self._held:
                self._nobody.set()

    async def _ask(self) -> None:
        while self._held:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nobody.wait(), CHECK_EVERY_S)
            for key, access in list(self._held.items()):
                if not await _may(access.request):
                    access.allowed = False
                    # Whoever signs in again with the same token is someone new.
                    self._held.pop(key, None)
                    self._told()


async def _may(request: Request) -> bool:
    try:
        await authenticate(request)
    except (Unauthenticated, Forbidden):
        return False
    except (Unavailable, SQLAlchemyError, OSError) as error:
        # Without a database nobody's rights have changed either.
        log.warning("access_watch_without_database", error=type(error).__name__)
    return True
