"""HTTP for what a run printed: pages, the live stream, the whole file."""

from typing import Annotated, Literal
from uuid import UUID

import anyio
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep
from backend.tasks import attachment, log_download, log_stream, queries, sse
from backend.tasks.attempt_choice import AttemptNumber, Chosen, attempt_of, runs_of
from backend.tasks.history_schemas import LogPage
from backend.tasks.log_query import Wanted, WantedLive, searching
from backend.tasks.logs import Window, page
from backend.tasks.position import Position, parse
from backend.tasks.view import view_of

router = APIRouter(tags=["tasks"])

After = Annotated[str | None, Query(description="Id of the line after which to begin")]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID")]


@router.get("/tasks/{task_id}/logs")
async def get_task_logs(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    wanted: Wanted,
    attempt: AttemptNumber = None,
    after: After = None,
    before: Annotated[str | None, Query(description="Id of the line before which to end")] = None,
    tail: Annotated[bool, Query(description="The last lines instead of the first")] = False,
    line: Annotated[
        int | None, Query(ge=1, le=10**15, description="The lines around this number instead")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> LogPage:
    """Lines of one attempt; a filter looks through the whole log."""
    found = await queries.find(session, user, task_id)
    begin, end = parse(after) if after else None, parse(before) if before else None
    number = attempt_of(
        found, begin.attempt if begin else None, end.attempt if end else None, attempt
    )
    window = Window(limit, begin, end, tail, line)
    folder = runs_of(request, found).folder(number)
    if wanted:
        return await searching(request, lambda: page(folder, window, wanted))
    return await anyio.to_thread.run_sync(page, folder, window, wanted)


@router.get("/tasks/{task_id}/logs/stream", response_class=sse.EventStream)
async def stream_task_logs(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    wanted: WantedLive,
    attempt: AttemptNumber = None,
    after: After = None,
    last_event_id: LastEventId = None,
) -> sse.EventStream:
    """Server-sent events: `line` (a LogLine; the id is its id), `gap`, `end`, `bye`.

    With a filter lines that it does not want are not sent; a gap still counts them.
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
        wanted,
        only_attempt=attempt is not None,
    )
    return sse.answer(chunks)


@router.get("/tasks/{task_id}/logs/download", response_class=attachment.Text)
async def download_task_logs(
    chosen: Chosen,
    wanted: Wanted,
    format: Annotated[Literal["text", "gz"], Query(description="gz: compressed")] = "text",
) -> StreamingResponse:
    """The log of an attempt as it is now, as a text file; with a filter only those lines."""
    folder = chosen.folder
    filename = f"{chosen.found.row.output_name}-{folder.attempt}.log.txt"
    length: int | None = None
    if wanted:
        content = await anyio.to_thread.run_sync(log_download.lines_of, folder, wanted)
    else:
        length, content = await anyio.to_thread.run_sync(log_download.text_of, [folder])
    if format == "gz":
        packed = log_download.gzipped(content)
        return attachment.Gzip(packed, headers=attachment.headers(f"{filename}.gz"))
    return attachment.Text(content, headers=attachment.headers(filename, length))
