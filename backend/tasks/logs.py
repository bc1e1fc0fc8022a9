"""Pages of a log: forwards, backwards, the tail, around a line; filtered over the whole log.

Everything here blocks on one file: call it in a thread. Memory is bounded by the page, time by
what `log_search` allows: a filter that finds too little in it gives back what it has, and `next`
goes on.
"""

from dataclasses import dataclass

from backend.jobs.log_blocks import start_of_block
from backend.jobs.log_file import (
    RawLine,
    newlines_before,
    read_backward,
    read_forward,
    size_of,
    start_of_line,
    start_of_next,
    total_lines,
)
from backend.jobs.run_folder import RunFolder
from backend.tasks.history_schemas import LogLine, LogPage
from backend.tasks.log_filter import Filter, Matcher
from backend.tasks.log_line import parse
from backend.tasks.log_search import Hit, Search
from backend.tasks.position import Position


@dataclass(frozen=True)
class Window:
    """What is asked for: up to `limit` lines between two positions, the first or the last ones.

    `line`: those around the line of that number instead.
    """

    limit: int
    after: Position | None = None
    before: Position | None = None
    tail: bool = False
    line: int | None = None

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
    if wanted:
        search = Search(file, Matcher(wanted), wanted)
        try:
            items, seen = _filtered(folder, search, window, start, end)
            matched = search.count()
        finally:
            search.close()
    else:
        items, seen = _plain(folder, window, start, end)
    last = read_backward(file, seen, 1)
    following = Position(attempt, last[0].offset if last else None)
    total = total_lines(file)
    hidden = total - matched if matched is not None else None
    return LogPage(items=items, next=str(following), total=total, matched=matched, hidden=hidden)


def lines_of(folder: RunFolder, raws: list[RawLine]) -> list[LogLine]:
    """Lines that follow each other, with their numbers."""
    if not raws:
        return []
    number = newlines_before(folder.log_file, raws[0].offset)
    return [parse(raw, folder.attempt, number + i) for i, raw in enumerate(raws, 1)]


def _plain(folder: RunFolder, window: Window, start: int, end: int) -> tuple[list[LogLine], int]:
    """Lines without a filter, and up to where the log was seen."""
    file = folder.log_file
    if window.line is not None:
        middle = start_of_line(file, window.line)
        older = read_backward(file, middle, window.limit // 2)
        newer = read_forward(file, middle, window.limit - len(older))
        if len(older) + len(newer) < window.limit:
            older = read_backward(file, middle, window.limit - len(newer))
        lines = lines_of(folder, older) + lines_of(folder, newer)
        return lines, newer[-1].end if newer else middle
    if window.backward:
        raws = read_backward(file, end, window.limit)
        return lines_of(folder, [raw for raw in raws if raw.offset >= start]), end
    raws = read_forward(file, start, window.limit)
    raws = [raw for raw in raws if raw.offset < end]
    return lines_of(folder, raws), raws[-1].end if raws else start


def _filtered(
    folder: RunFolder, search: Search, window: Window, start: int, end: int
) -> tuple[list[LogLine], int]:
    """Wanted lines, and up to where the log was seen."""
    file, limit = folder.log_file, window.limit
    if window.line is not None:
        middle = start_of_line(file, window.line)
        older = _last(search, 0, middle, limit)
        newer, seen = _first(folder, search, middle, end, limit)
        half = limit // 2
        after = newer[: max(limit - len(older), limit - half)]
        before = older[-(limit - len(after)) :] if len(after) < limit else []
        if len(after) < len(newer):
            seen = after[-1].raw.end if after else middle
        hits = before + after
    elif window.backward:
        hits, seen = _last(search, start, end, limit), end
    else:
        hits, seen = _first(folder, search, start, end, limit)
    return [parse(hit.raw, folder.attempt, hit.number) for hit in hits], seen


def _first(
    folder: RunFolder, search: Search, start: int, end: int, limit: int
) -> tuple[list[Hit], int]:
    """The first wanted lines of [`start`, `end`), and up to where the log was seen."""
    found: list[Hit] = []
    seen = start
    for block, hits in search.forward(start):
        found += [hit for hit in hits if hit.raw.offset < end]
        if len(found) >= limit:
            return found[:limit], found[limit - 1].raw.end
        seen = start_of_next(folder.log_file, start_of_block(block + 1) - 1)
        if seen >= end:
            break
    return found, min(seen, end)


def _last(search: Search, start: int, end: int, limit: int) -> list[Hit]:
    """The last wanted lines of [`start`, `end`), in order."""
    found: list[Hit] = []
    for block, hits in search.backward(end):
        found = [hit for hit in hits if hit.raw.offset >= start] + found
        if len(found) >= limit or start_of_block(block) <= start:
            break
    return found[-limit:]
