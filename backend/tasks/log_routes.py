"""HTTP for what a run printed: pages, the live stream, the whole file."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import anyio
from fastapi import APIRouter, Header, Query, Request

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep
from backend.errors import NotFound
from backend.tasks import attachment, log_download, log_stream, queries, sse
from backend.tasks.follow import Runs
from backend.tasks.history_schemas import LogPage
from backend.tasks.logs import Filter, Window, page
from backend.tasks.position import Position, parse
from backend.tasks.queries import Found
from backend.tasks.view import view_of

router = APIRouter(tags=["tasks"])

Attempt = Annotated[int | None, Query(ge=1, description="The newest when not given")]
After = Annotated[str | None, Query(description="Id of the line after which to begin")]
Level = Literal["debug", "info", "warning", "error"]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID")]
Time = Annotated[datetime | None, Query(description="ISO 8601; UTC when it names no zone")]


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


def _in_utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time


@router.get("/tasks/{task_id}/logs")
async def get_task_logs(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    attempt: Attempt = None,
    after: After = None,
    before: Annotated[str | None, Query(description="Id of the line before which to end")] = None,
    tail: Annotated[bool, Query(description="The last lines instead of the first")] = False,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
    level: Annotated[list[Level] | None, Query()] = None,
    q: Annotated[str | None, Query(max_length=500, description="Literal, ignores case")] = None,
    since: Time = None,
    until: Time = None,
) -> LogPage:
    """Lines of one attempt; a filter looks through the whole log."""
    found = await queries.find(session, user, task_id)
    begin, end = parse(after) if after else None, parse(before) if before else None
    number = attempt_of(
        found, begin.attempt if begin else None, end.attempt if end else None, attempt
    )
    wanted = Filter(frozenset(level or ()), q or "", _in_utc(since), _in_utc(until))
    window = Window(limit, begin, end, tail)
    folder = runs_of(request, found).folder(number)
    return await anyio.to_thread.run_sync(page, folder, window, wanted)


@router.get("/tasks/{task_id}/logs/stream", response_class=sse.EventStream)
async def stream_task_logs(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    attempt: Attempt = None,
    after: After = None,
    last_event_id: LastEventId = None,
) -> sse.EventStream:
    """Server-sent events: `line` (a LogLine; the id is its id), `gap`, `end`, `bye`.

    Begins after `Last-Event-ID`, else after `after`, else with the first line of the attempt.
    Goes on with later attempts unless `attempt` names one.
    """
    found = await queries.find(session, user, task_id)
    begin = last_event_id or after
    start = parse(begin) if begin else Position(attempt_of(found, attempt), None)
    attempt_of(found, start.attempt)
    chunks = log_stream.stream(
        request,
        await view_of(session, found),
        runs_of(request, found),
        start,
        only_attempt=attempt is not None,
    )
    return sse.answer(chunks)


@router.get("/tasks/{task_id}/logs/download", response_class=attachment.Text)
async def download_task_logs(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    attempt: Attempt = None,
) -> attachment.Text:
    """The log of an attempt as it is now, as a text file."""
    found = await queries.find(session, user, task_id)
    number = attempt_of(found, attempt)
    folder = runs_of(request, found).folder(number)
    length, content = await anyio.to_thread.run_sync(log_download.text_of, [folder])
    filename = f"{found.row.output_name}-{number}.log.txt"
    return attachment.Text(content, headers=attachment.headers(filename, length))
