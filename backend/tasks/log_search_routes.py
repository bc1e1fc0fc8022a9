"""HTTP for finding one's way in a log: how many lines match and where, the next one, sections."""

from typing import Annotated, Literal

import anyio
from fastapi import APIRouter, Query, Request

from backend.tasks import log_find
from backend.tasks.attempt_choice import Chosen
from backend.tasks.log_query import Wanted, searching
from backend.tasks.log_schemas import LogFound, LogMatches, LogSections
from backend.tasks.log_sections import sections_of

router = APIRouter(tags=["tasks"])

LineNumber = Annotated[
    int, Query(alias="from", ge=0, le=10**15, description="Begin beside this line number")
]


@router.get("/tasks/{task_id}/logs/matches")
async def get_task_log_matches(
    request: Request,
    chosen: Chosen,
    wanted: Wanted,
) -> LogMatches:
    """How many lines match the filter, and where: for the scroll bar."""
    return await searching(request, lambda: log_find.matches(chosen.folder, wanted))


@router.get("/tasks/{task_id}/logs/find")
async def find_in_task_logs(
    request: Request,
    chosen: Chosen,
    wanted: Wanted,
    from_: LineNumber = 0,
    direction: Literal["next", "previous"] = "next",
    index: Annotated[
        int | None, Query(ge=1, le=10**15, description="The match of this number instead, from 1")
    ] = None,
) -> LogFound:
    """The next line that matches after line `from`, or the previous one; goes round at the end."""
    folder = chosen.folder
    if index is not None:
        return await searching(request, lambda: log_find.kth(folder, wanted, index))
    forward = direction == "next"
    return await searching(request, lambda: log_find.beside(folder, wanted, from_, forward=forward))


@router.get("/tasks/{task_id}/logs/sections")
async def get_task_log_sections(chosen: Chosen) -> LogSections:
    """Which lines belong to preparing, training, evaluating and saving, and the first error."""
    return await anyio.to_thread.run_sync(sections_of, chosen.folder)
