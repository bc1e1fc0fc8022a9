"""What the engine says becomes columns of its job: the newest value of each, once per tick."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func

from backend.jobs.event_file import PlacedEvent
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from training_engine.contract.events import (
    Checkpoint,
    Failed,
    Finished,
    Metrics,
    Progress,
    Started,
    Stopped,
)
from training_engine.contract.names import Phase

JUDGED_BY = "eval_loss"
AT_WORK = frozenset({Phase.TRAINING, Phase.EVALUATING, Phase.SAVING})


@dataclass
class Digest:
    """Column values from a stretch of events, and what they imply."""

    values: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)
    # {name, value, step} of the lowest loss on held-out rows
    best: dict[str, Any] | None = None
    at_work: bool = False
    ended: bool = False

    def note_best(self, event: Metrics) -> None:
        """Keep the lowest loss on held-out rows; what is no number is never the best."""
        value = event.values.get(JUDGED_BY)
        if value is not None and (self.best is None or value < self.best["value"]):
            self.best = {"name": JUDGED_BY, "value": value, "step": event.step}


def digest(events: Iterable[PlacedEvent], folder: RunFolder) -> Digest:
    """Fold events, oldest first; later values win."""
    found = Digest()
    for placed in events:
        event = placed.event
        match event:
            case Started():
                found.values |= {
                    "device": event.device[:64],
                    "dtype": event.dtype[:32],
                    "device_reason": event.device_reason,
                    "phase": Phase.PREPARING.value,
                }
            case Progress():
                found.values |= _progress(event)
                found.at_work = found.at_work or event.phase in AT_WORK
            case Metrics():
                found.metrics |= event.values
                found.note_best(event)
                found.values["step"] = event.step
                if event.epoch is not None:
                    found.values["epoch"] = event.epoch
                found.at_work = True
            case Checkpoint():
                if folder.checkpoint_dir(event.name) is not None:
                    found.values |= {"resumable": True, "checkpoint": facts_of(event, folder)}
            case Finished() | Stopped() | Failed():
                found.ended = True
                if event.step is not None:
                    found.values["step"] = event.step
                if isinstance(event, Finished):
                    found.metrics |= event.metrics
                if not isinstance(event, Failed) and event.peak_device_bytes is not None:
                    found.values["peak_memory_bytes"] = event.peak_device_bytes
            case _:
                pass  # notices and samples are read from the file
    return found


def _progress(event: Progress) -> dict[str, Any]:
    values: dict[str, Any] = {
        "phase": event.phase.value,
        "step": event.step,
        "eta_s": event.eta_s,
        "detail": event.detail,
    }
    if event.fraction is not None:
        values["progress"] = min(1.0, max(0.0, event.fraction))
    for name in ("total_steps", "epoch", "tokens_per_s", "peak_memory_bytes"):
        if getattr(event, name) is not None:
            values[name] = getattr(event, name)
    return values


def facts_of(event: Checkpoint, folder: RunFolder) -> dict[str, Any]:
    """What is kept of the newest checkpoint."""
    return {
        "attempt": folder.attempt,
        "step": event.step,
        "name": event.name,
        "size_bytes": event.size_bytes,
        "manifest_sha256": event.manifest_sha256,
        "at": event.at.isoformat(),
    }


def write(job: JobRow, found: Digest, offset: int) -> JobStatus | None:
    """Put a digest into a locked row; returns the state to move to, when it implies one."""
    for name, value in found.values.items():
        setattr(job, name, value)
    if found.best and (not job.best_metric or found.best["value"] < job.best_metric["value"]):
        job.best_metric = found.best
    if found.metrics:
        job.metrics = {**job.metrics, **found.metrics}
    job.event_offset = offset
    job.stalled_since = None
    job.heartbeat_at = func.now()
    starts = found.at_work and job.status == JobStatus.PREPARING
    return JobStatus.RUNNING if starts else None
