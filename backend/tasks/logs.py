"""Pages of a log: forwards, backwards, the tail; filtered over the whole log in bounded time.

Everything here blocks on one file: call it in a thread. Memory is bounded by the page, time by
`SCAN_BYTES`: a filter that finds too little in them gives back what it has, and `next` goes on.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backend.jobs.log_file import (
    RawLine,
    newlines_before,
    read_backward,
    read_forward,
    size_of,
    start_of_next,
    total_lines,
)
from backend.jobs.run_folder import RunFolder
from backend.tasks.history_schemas import LogLine, LogPage
from backend.tasks.log_line import parse
from backend.tasks.position import Position

SCAN_BYTES = 128 * 1024 * 1024
SCAN_LINES = 5000


@dataclass(frozen=True)
class Filter:
    """Which lines are wanted; `q` is literal and ignores case."""

    levels: frozenset[str] = frozenset()
    q: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.levels or self.q or self.since or self.until)

    def may_match(self, raw: RawLine) -> bool:
        """A cheap look at the bytes before the line is taken apart; only ASCII folds that way."""
        return not self.q.isascii() or self.q.lower().encode() in raw.content.lower()

    def matches(self, line: LogLine) -> bool:
        """Whether the line is wanted."""
        return (
            (not self.levels or line.level in self.levels)
            and (not self.q or self.q.lower() in line.text.lower())
            and (self.since is None or line.at >= self.since)
            and (self.until is None or line.at <= self.until)
        )


@dataclass(frozen=True)
class Window:
    """What is asked for: up to `limit` lines between two positions, the first or the last ones."""

    limit: int
    after: Position | None = None
    before: Position | None = None
    tail: bool = False

    @property
    def backward(self) -> bool:
        """Whether the last lines of the range are wanted."""
        return self.tail or (self.before is not None and self.after is None)


def page(folder: RunFolder, window: Window, wanted: Filter) -> LogPage:
    """The lines of `window` that are `wanted`; raises nothing for a log that does not exist yet."""
    file, attempt = folder.log_file, folder.attempt
    size = size_of(file)
    start = window.after.following(file) if window.after else 0
    end = min(size, window.before.offset or 0) if window.before else size
    matched: int | None = None
    if not wanted:
        items, seen = _plain(folder, window, start, end)
    elif size <= SCAN_BYTES:
        items, seen, matched = _whole(folder, window, wanted, start, end)
    else:
        items, seen = _part(folder, window, wanted, start, end)
    last = read_backward(file, seen, 1)
    following = Position(attempt, last[0].offset if last else None)
    return LogPage(items=items, next=str(following), total=total_lines(file), matched=matched)


def lines_of(folder: RunFolder, raws: list[RawLine]) -> list[LogLine]:
    """Lines that follow each other, with their numbers."""
    if not raws:
        return []
    number = newlines_before(folder.log_file, raws[0].offset)
    return [parse(raw, folder.attempt, number + i) for i, raw in enumerate(raws, 1)]


def _plain(folder: RunFolder, window: Window, start: int, end: int) -> tuple[list[LogLine], int]:
    """Lines without a filter, and up to where the log was seen."""
    if window.backward:
        raws = read_backward(folder.log_file, end, window.limit)
        return lines_of(folder, [raw for raw in raws if raw.offset >= start]), end
    raws = read_forward(folder.log_file, start, window.limit)
    raws = [raw for raw in raws if raw.offset < end]
    return lines_of(folder, raws), raws[-1].end if raws else start


def _whole(
    folder: RunFolder, window: Window, wanted: Filter, start: int, end: int
) -> tuple[list[LogLine], int, int]:
    """One pass over the whole log: the page, and how many lines match in all."""
    found: deque[LogLine] = deque(maxlen=window.limit if window.backward else None)
    seen, count = end, 0
    for raw, line in _matching(folder, 0, size_of(folder.log_file), wanted):
        count += 1
        if start <= raw.offset < end and (window.backward or len(found) < window.limit):
            found.append(line)
            if len(found) == window.limit and not window.backward:
                seen = raw.end
    return list(found), seen, count


def _part(
    folder: RunFolder, window: Window, wanted: Filter, start: int, end: int
) -> tuple[list[LogLine], int]:
    """As much of a huge log as is reasonable, from the side that is asked for."""
    if window.backward:
        start = max(start, start_of_next(folder.log_file, max(0, end - SCAN_BYTES)))
        matching = _matching(folder, start, end, wanted)
        return list(deque((line for _, line in matching), maxlen=window.limit)), end
    if end > start + SCAN_BYTES:
        end = min(end, start_of_next(folder.log_file, start + SCAN_BYTES))
    found: list[LogLine] = []
    for raw, line in _matching(folder, start, end, wanted):
        found.append(line)
        if len(found) == window.limit:
            return found, raw.end
    return found, end


def _matching(
    folder: RunFolder, start: int, end: int, wanted: Filter
) -> Iterator[tuple[RawLine, LogLine]]:
    """Wanted lines that begin in [`start`, `end`), in order."""
    file: Path = folder.log_file
    number = newlines_before(file, start)
    while start < end and (raws := read_forward(file, start, SCAN_LINES)):
        for raw in raws:
            if raw.offset >= end:
                return
            number += 1
            if wanted.may_match(raw):
                line = parse(raw, folder.attempt, number)
                if wanted.matches(line):
                    yield raw, line
        start = raws[-1].end
