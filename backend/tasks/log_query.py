"""How a request says which lines of a log it wants, and where such work is done."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

import anyio
from fastapi import Depends, Query, Request
from pydantic import Field

from backend.tasks.log_filter import Filter, Matcher

T = TypeVar("T")
Level = Literal["debug", "info", "warning", "error"]
Stream = Literal["out", "err", "host"]
Rank = Annotated[int, Field(ge=0, le=999_999)]
Time = Annotated[datetime | None, Query(description="ISO 8601; UTC when it names no zone")]
MAX_PATTERN_LENGTH = 500
MAX_RANKS = 64
# Searches at the same time; others wait, and requests without a filter pass them.
SEARCHES_AT_ONCE = 4


async def _live_filter(
    level: Annotated[list[Level] | None, Query()] = None,
    stream: Annotated[list[Stream] | None, Query()] = None,
    rank: Annotated[
        list[Rank] | None, Query(max_length=MAX_RANKS, description="Of several processes")
    ] = None,
    q: Annotated[str | None, Query(max_length=MAX_PATTERN_LENGTH, description="Text")] = None,
    regex: Annotated[bool, Query(description="`q` is a pattern in RE2's syntax")] = False,
    case: Annotated[bool, Query(description="Upper and lower case differ")] = False,
) -> Filter:
    wanted = Filter(
        levels=frozenset(level or ()),
        q=q or "",
        streams=frozenset(stream or ()),
        ranks=frozenset(rank or ()),
        regex=regex and bool(q),
        case=case and bool(q),
    )
    Matcher(wanted)  # what can not be searched for is refused before anything is opened
    return wanted


async def _filter(
    live: Annotated[Filter, Depends(_live_filter)], since: Time = None, until: Time = None
) -> Filter:
    return Filter(
        levels=live.levels,
        q=live.q,
        since=_in_utc(since),
        until=_in_utc(until),
        streams=live.streams,
        ranks=live.ranks,
        regex=live.regex,
        case=live.case,
    )


# Of lines that are written already, and of lines that are still to come.
Wanted = Annotated[Filter, Depends(_filter)]
WantedLive = Annotated[Filter, Depends(_live_filter)]


def _in_utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time


async def searching(request: Request, work: Callable[[], T]) -> T:
    """Run `work` in a thread, a few at a time."""
    state = request.app.state
    limiter: anyio.CapacityLimiter | None = getattr(state, "log_searches", None)
    if limiter is None:
        limiter = state.log_searches = anyio.CapacityLimiter(SEARCHES_AT_ONCE)
    return await anyio.to_thread.run_sync(work, limiter=limiter)
