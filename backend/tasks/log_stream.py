"""The live log as server-sent events: `line`, `gap`, `end`, `bye`; the id is the line's."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
from fastapi import Request

from backend.jobs.log_file import RawLine, newlines_before, read_forward
from backend.jobs.run_folder import RunFolder
from backend.tasks.follow import Follower, Gap, Runs
from backend.tasks.history_schemas import LogLine
from backend.tasks.log_filter import Filter, Matcher
from backend.tasks.log_line import parse
from backend.tasks.logs import lines_of
from backend.tasks.position import Position
from backend.tasks.schemas import Task
from backend.tasks.shared_reads import Batch
from backend.tasks.sse import HELLO, PING, Pings, ending, frame
from backend.tasks.watch import watch_of

# Of one batch: small, because what a slow reader has not taken yet stays in memory.
BATCH_LINES, BATCH_BYTES = 100, 32 * 1024
# With a filter most lines are only looked at.
SEARCHED_LINES, SEARCHED_BYTES = 4000, 256 * 1024


class LogSource:
    """`output.log`, one event per line that is wanted."""

    def __init__(self, wanted: Filter) -> None:
        self.key = wanted
        self._matcher = Matcher(wanted) if wanted else None

    def file(self, folder: RunFolder) -> Path:
        """The file of an attempt."""
        return folder.log_file

    def read(self, folder: RunFolder, offset: int) -> Batch:
        """The next lines from `offset`."""
        file = folder.log_file
        if self._matcher is None:
            raws = read_forward(file, offset, BATCH_LINES, BATCH_BYTES)
            lines = lines_of(folder, raws)
        else:
            raws = read_forward(file, offset, SEARCHED_LINES, SEARCHED_BYTES)
            raws, lines = self._wanted(folder, raws, self._matcher)
        frames = b"".join(frame("line", line.model_dump_json().encode(), line.id) for line in lines)
        return Batch(frames, raws[-1].end if raws else offset, len(lines))

    def _wanted(
        self, folder: RunFolder, raws: list[RawLine], matcher: Matcher
    ) -> tuple[list[RawLine], list[LogLine]]:
        """The lines that are wanted among these, up to a batch of them, and what was looked at."""
        if not raws:
            return raws, []
        found = matcher.indexes(b"".join([raw.content + b"\n" for raw in raws]))
        if len(found) > BATCH_LINES:
            raws = raws[: found[BATCH_LINES]]
            found = found[:BATCH_LINES]
        first = newlines_before(folder.log_file, raws[0].offset) + 1
        return raws, [parse(raws[i], folder.attempt, first + i) for i in found]

    def gap(self, folder: RunFolder, gap: Gap) -> bytes:
        """Names the lines left out, as positions to fetch them by and as numbers to show.

        A reader that comes back after it goes on behind the gap.
        """
        first = newlines_before(folder.log_file, gap.after.following(folder.log_file)) + 1
        last = newlines_before(folder.log_file, gap.offset)
        data = {
            "attempt": folder.attempt,
            "after": str(gap.after),
            "last": str(gap.last),
            "first_number": first,
            "last_number": last,
            "lines": last - first + 1,
        }
        return frame("gap", orjson.dumps(data), str(gap.last))


async def stream(
    request: Request,
    task: Task,
    runs: Runs,
    start: Position,
    wanted: Filter,
    *,
    only_attempt: bool,
) -> AsyncIterator[bytes]:
    """Every line after `start` that is wanted, then `end`; holds no connection to the database."""
    watch, pings = watch_of(request.app), Pings()
    yield HELLO
    with watch.following(task) as followed:
        follower = Follower(request, watch, followed, runs, LogSource(wanted))
        async for frames in follower.frames(start, only_attempt=only_attempt):
            if frames:
                pings.sent()
                yield frames
            elif pings.due():
                yield PING
        yield ending(follower.ended, followed.task)
