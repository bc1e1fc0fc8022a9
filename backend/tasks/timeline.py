"""What happened to a task, merged from its job's moves and from what its runs said."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from operator import itemgetter
from typing import Any, Literal

from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobTransitionRow
from backend.tasks.history import Remark, history_of
from backend.tasks.history_schemas import SampleItem, TaskCheckpoint, TaskEvent, TaskSamples
from training_engine.contract.events import Checkpoint, Failed, Notice

SENTENCES = {
    JobStatus.PENDING: "Waits in the queue.",
    JobStatus.PREPARING: "The run is being prepared.",
    JobStatus.RUNNING: "Training has begun.",
    JobStatus.STOPPING: "Was asked to stop.",
    JobStatus.COMPLETED: "Completed.",
    JobStatus.FAILED: "Failed.",
    JobStatus.STOPPED: "Stopped.",
}


def event_of(attempt: int, offset: int, event: Remark) -> TaskEvent:
    """What a run said, as an event of the task; its id is its place in `events.jsonl`."""
    level: Literal["info", "warning", "error"] = "info"
    code: str = event.type
    params: dict[str, Any]
    if isinstance(event, Notice | Failed):
        level = event.level if isinstance(event, Notice) else "error"
        code, message, params = str(event.code), event.message, dict(event.params)
    elif isinstance(event, Checkpoint):
        params = {"step": event.step, "name": event.name, "size_bytes": event.size_bytes}
        code, message = "saved", f"Checkpoint at step {event.step} saved."
    else:
        params = {"device": event.device, "dtype": event.dtype, "reason": event.device_reason}
        message = f"Computes on {event.device} ({event.dtype}): {event.device_reason.rstrip('.')}."
    return TaskEvent(
        id=f"{attempt}-{offset}",
        at=event.at,
        attempt=attempt,
        type=event.type,
        level=level,
        code=code,
        message=message,
        params=params,
    )


def _moved(move: JobTransitionRow) -> TaskEvent:
    return TaskEvent(
        id=f"move-{move.id}",
        at=move.at,
        attempt=move.attempt,
        type="transition",
        level="error" if move.to_status is JobStatus.FAILED else "info",
        code=move.to_status.value,
        message=SENTENCES[move.to_status],
        params={
            "from": move.from_status.value if move.from_status else None,
            "to": move.to_status.value,
            "reason": move.reason,
        },
    )


def events_of(moves: Iterable[JobTransitionRow], folders: Sequence[RunFolder]) -> list[TaskEvent]:
    """Everything in order of time; what one source tells stays in its order; blocks on files."""
    told = [[_moved(move) for move in moves]]
    for folder in folders:
        with history_of(folder) as history:
            told.append([event_of(folder.attempt, at, event) for at, event in history.remarks])
    merged = merge(*(_rising(events) for events in told), key=itemgetter(0))
    return [event for _, event in merged]


def _rising(events: Iterable[TaskEvent]) -> Iterator[tuple[datetime, TaskEvent]]:
    """Each event with a time that never falls: a clock that was set back turns no order round."""
    latest: datetime | None = None
    for event in events:
        latest = event.at if latest is None else max(latest, event.at)
        yield latest, event


def samples_of(folders: Sequence[RunFolder]) -> list[TaskSamples]:
    """Generated answers of all attempts, oldest first; blocks on files."""
    found = []
    for folder in folders:
        with history_of(folder) as history:
            for _, event in history.samples:
                items = [SampleItem(**item.model_dump()) for item in event.items]
                found.append(TaskSamples(step=event.step, at=event.at, items=items))
    return found


def checkpoints_of(folders: Sequence[RunFolder]) -> list[TaskCheckpoint]:
    """Every checkpoint that was committed, and whether it is still there; blocks on files."""
    found = []
    for folder in folders:
        with history_of(folder) as history:
            committed = list(history.checkpoints)
        found += [
            TaskCheckpoint(
                attempt=folder.attempt,
                step=event.step,
                name=event.name,
                size_bytes=event.size_bytes,
                at=event.at,
                exists=folder.checkpoint_dir(event.name) is not None,
            )
            for event in committed
        ]
    return found
