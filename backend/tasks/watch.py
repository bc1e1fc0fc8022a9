"""The tasks that somebody follows, looked at together: one short transaction per interval.

A stream holds no connection to the database; it reads here how its task stands.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from backend.accounts.access_watch import AccessWatch
from backend.database import SessionFactory, transaction
from backend.errors import Unavailable
from backend.jobs.growth import GrowthWatch
from backend.tasks import queries
from backend.tasks.schemas import Task
from backend.tasks.shared_reads import SharedReads
from backend.tasks.view import views_of

LOOK_EVERY_S = 0.2
AWAY_PAUSE_S = 2.0

log = structlog.get_logger(__name__)


@dataclass
class Followed:
    """A task as it was a moment ago; `task` is None once it was deleted."""

    task: Task | None
    followers: int = 0


class TaskWatch:
    """Keeps what is followed up to date, and looks at nothing when nobody follows."""

    def __init__(self, sessions: SessionFactory) -> None:
        self.growth = GrowthWatch()
        self.reads = SharedReads()
        self.access = AccessWatch(self.growth.nudge)
        self._sessions = sessions
        self._followed: dict[UUID, Followed] = {}
        self._looking: asyncio.Task[None] | None = None
        self._nobody = asyncio.Event()

    @contextmanager
    def following(self, task: Task) -> Iterator[Followed]:
        """The task as it changes, for as long as the block lasts."""
        followed = self._followed.setdefault(task.id, Followed(task))
        followed.followers += 1
        self._nobody.clear()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="task watch")
        try:
            yield followed
        finally:
            followed.followers -= 1
            if not followed.followers:
                self._followed.pop(task.id, None)
            if not self._followed:
                self._nobody.set()

    async def _look(self) -> None:
        while self._followed:
            try:
                await self._refresh()
            except (SQLAlchemyError, Unavailable, OSError) as error:
                # The files go on growing and are still sent; only the state is late.
                log.warning("task_watch_without_database", error=type(error).__name__)
                await self._pause(AWAY_PAUSE_S)
            await self._pause(LOOK_EVERY_S)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not after the last follower has gone."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nobody.wait(), seconds)

    async def _refresh(self) -> None:
        ids = list(self._followed)
        async with transaction(self._sessions) as session:
            tasks = await views_of(session, await queries.find_many(session, ids))
        present = {task.id: task for task in tasks}
        changed = False
        for task_id in ids:
            if (followed := self._followed.get(task_id)) is not None:
                changed = changed or followed.task != present.get(task_id)
                followed.task = present.get(task_id)
        if changed:
            self.growth.nudge()


def watch_of(app: FastAPI) -> TaskWatch:
    """The one watch of the application."""
    watch: TaskWatch | None = getattr(app.state, "task_watch", None)
    if watch is None:
        watch = app.state.task_watch = TaskWatch(app.state.sessions)
    return watch
