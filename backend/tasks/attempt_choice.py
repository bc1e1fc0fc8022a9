"""Which attempt of a task a request means, and where that attempt lies."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep
from backend.errors import NotFound
from backend.jobs.run_folder import RunFolder
from backend.tasks import queries
from backend.tasks.follow import Runs
from backend.tasks.queries import Found

AttemptNumber = Annotated[int | None, Query(ge=1, description="The newest when not given")]


class NoSuchAttempt(NotFound):
    """This task has no attempt {attempt}."""


def runs_of(request: Request, found: Found) -> Runs:
    """Where the attempts of a task lie."""
    return Runs(request.app.state.settings.runs_dir, found.job.id)


def attempt_of(found: Found, *asked: int | None) -> int:
    """The first that was named, else the newest; raises `NoSuchAttempt`."""
    attempt = next((number for number in asked if number is not None), found.job.attempt)
    if not 1 <= attempt <= found.job.attempt:
        raise NoSuchAttempt(params={"attempt": attempt})
    return attempt


@dataclass(frozen=True)
class ChosenAttempt:
    """An attempt of a task that the signed-in user may see."""

    found: Found
    folder: RunFolder


async def _chosen(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    attempt: AttemptNumber = None,
) -> ChosenAttempt:
    found = await queries.find(session, user, task_id)
    return ChosenAttempt(found, runs_of(request, found).folder(attempt_of(found, attempt)))


# For routes of `/tasks/{task_id}/…?attempt=`.
Chosen = Annotated[ChosenAttempt, Depends(_chosen, scope="function")]
