"""The live log as server-sent events: `line`, `gap`, `end`, `bye`; the id is the line's."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
from fastapi import Request

from backend.jobs.log_file import newlines_before, read_forward
from backend.jobs.run_folder import RunFolder
from backend.tasks.follow import Batch, Follower, Gap, Runs
from backend.tasks.logs import lines_of
from backend.tasks.position import Position
from backend.tasks.schemas import Task
from backend.tasks.sse import HELLO, PING, Pings, ending, frame
from backend.tasks.watch import watch_of

BATCH_BYTES = 256 * 1024


class LogSource:
    """`output.log`, one event per line."""

    def file(self, folder: RunFolder) -> Path:
        """The file of an attempt."""
        return folder.log_file

    def read(self, folder: RunFolder, offset: int, budget: int) -> Batch:
        """Up to `budget` lines from `offset`."""
        raws = read_forward(folder.log_file, offset, budget, BATCH_BYTES)
        lines = lines_of(folder, raws)
        frames = b"".join(frame("line", line.model_dump_json().encode(), line.id) for line in lines)
        return Batch(frames, raws[-1].end if raws else offset, len(raws))

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
    request: Request, task: Task, runs: Runs, start: Position, *, only_attempt: bool
) -> AsyncIterator[bytes]:
    """Every line after `start`, then `end`; holds no connection to the database."""
    watch, pings = watch_of(request.app), Pings()
    yield HELLO
    with watch.following(task) as followed:
        follower = Follower(request, watch, followed, runs, LogSource())
        async for frames in follower.frames(start, only_attempt=only_attempt):
            if frames:
                pings.sent()
                yield frames
            elif pings.due():
                yield PING
        yield ending(follower.ended, followed.task)
