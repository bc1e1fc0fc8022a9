"""What happens to a task as server-sent events: `task`, `metrics`, `samples`, `notice`, …

The state comes from the database's row, everything else from `events.jsonl`, whose positions are
the ids: a reader that comes back gets the state as it is and the points it has missed.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
from fastapi import Request

from backend.jobs.event_file import PlacedEvent, read_events
from backend.jobs.run_folder import RunFolder
from backend.tasks.follow import Follower, Gap, Runs
from backend.tasks.position import Position
from backend.tasks.schemas import Task
from backend.tasks.shared_reads import Batch
from backend.tasks.sse import HELLO, PING, Pings, ending, frame
from backend.tasks.timeline import event_of
from backend.tasks.watch import watch_of
from training_engine.contract.events import Checkpoint, Metrics, Notice, Samples

BATCH_BYTES = 64 * 1024


class EventSource:
    """`events.jsonl`; progress is left out, because the task's state tells it."""

    key = "events"

    def file(self, folder: RunFolder) -> Path:
        """The file of an attempt."""
        return folder.events_file

    def read(self, folder: RunFolder, offset: int) -> Batch:
        """The next events from `offset`."""
        placed, end = read_events(folder.events_file, offset, BATCH_BYTES)
        frames = [_framed(folder.attempt, event) for event in placed]
        return Batch(b"".join(frames), end, len(placed))

    def gap(self, folder: RunFolder, gap: Gap) -> bytes:
        """The reader has missed events and loads the curves again."""
        data = {"attempt": folder.attempt, "after": str(gap.after), "last": str(gap.last)}
        return frame("gap", orjson.dumps(data), str(gap.last))


def _framed(attempt: int, placed: PlacedEvent) -> bytes:
    event, id_ = placed.event, f"{attempt}-{placed.offset}"
    if isinstance(event, Metrics):
        data = event.model_dump(mode="json", include={"step", "epoch", "values", "at"})
        return frame("metrics", orjson.dumps({"attempt": attempt, **data}), id_)
    if isinstance(event, Samples):
        data = event.model_dump(mode="json", include={"step", "items", "at"})
        return frame("samples", orjson.dumps({"attempt": attempt, **data}), id_)
    if isinstance(event, Notice | Checkpoint):
        told = event_of(attempt, placed.offset, event)
        return frame(event.type, told.model_dump_json().encode(), id_)
    return b""


async def stream(request: Request, task: Task, runs: Runs, start: Position) -> AsyncIterator[bytes]:
    """The state now and on each change, and every event after `start`; then `end`."""
    watch, pings = watch_of(request.app), Pings()
    yield HELLO
    with watch.following(task) as followed:
        shown: Task | None = None
        follower = Follower(request, watch, followed, runs, EventSource())
        async for frames in follower.frames(start):
            if followed.task is not None and followed.task != shown:
                shown = followed.task
                frames += frame("task", shown.model_dump_json().encode())
            if frames:
                pings.sent()
                yield frames
            elif pings.due():
                yield PING
        if followed.task is not None and followed.task != shown:
            yield frame("task", followed.task.model_dump_json().encode())
        yield ending(follower.ended, followed.task)
