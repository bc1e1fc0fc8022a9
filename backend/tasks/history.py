"""What a run has said so far, kept in memory and extended as its `events.jsonl` grows.

Numbers lie in plain arrays (32 bytes per point); a page view of a long run parses only what was
added since the last one. Everything here blocks on files: call it in a thread.
"""

import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isnan, nan
from pathlib import Path

from backend.jobs.event_file import PlacedEvent, read_events
from backend.jobs.run_folder import RunFolder
from backend.tasks.history_schemas import MetricPoint
from training_engine.contract.events import (
    TERMINAL_TYPES,
    Checkpoint,
    Failed,
    Metrics,
    Notice,
    Progress,
    Samples,
    Started,
)
from training_engine.contract.names import Phase

KEPT_RUNS = 32
MAX_REMARKS = 2000
MAX_SAMPLES = 200
MAX_PHASES = 500

Remark = Started | Notice | Checkpoint | Failed


@dataclass
class Series:
    """One metric: step, value (NaN where the engine had no finite number), seconds since 1970.

    `epochs`: how often the data had been seen; NaN where that was not said.
    """

    steps: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    epochs: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, step: int, value: float | None, at_s: float, epoch: float | None) -> None:
        """Append a point."""
        self.steps.append(step)
        self.values.append(nan if value is None else value)
        self.times.append(at_s)
        self.epochs.append(nan if epoch is None else epoch)

    def until(self, step: float) -> "Series":
        """A copy of the points up to and with `step`; steps never fall within an attempt."""
        end = bisect_right(self.steps, step)
        return Series(self.steps[:end], self.values[:end], self.times[:end], self.epochs[:end])

    def extend(self, other: "Series") -> None:
        """Append the points of a later attempt."""
        self.steps.extend(other.steps)
        self.values.extend(other.values)
        self.times.extend(other.times)
        self.epochs.extend(other.epochs)

    def points(self, indexes: Iterable[int]) -> list[MetricPoint]:
        """The points at these places."""
        return [
            MetricPoint(
                step=self.steps[i],
                value=None if isnan(self.values[i]) else self.values[i],
                at=datetime.fromtimestamp(self.times[i], UTC),
            )
            for i in indexes
        ]


@dataclass
class History:
    """One attempt. `remarks` and `samples` keep the last ones, with their place in the file."""

    folder: RunFolder
    inode: int = 0
    offset: int = 0
    last_offset: int | None = None  # where the last event that was taken in begins
    series: dict[str, Series] = field(default_factory=dict)
    remarks: deque[tuple[int, Remark]] = field(default_factory=lambda: deque(maxlen=MAX_REMARKS))
    checkpoints: list[Checkpoint] = field(default_factory=list)
    samples: deque[tuple[int, Samples]] = field(default_factory=lambda: deque(maxlen=MAX_SAMPLES))
    # Each phase and when it began; of very many the last ones are left out.
    phases: list[tuple[Phase, datetime]] = field(default_factory=list)
    ended_at: datetime | None = None
    guard: threading.Lock = field(default_factory=threading.Lock)

    def catch_up(self) -> None:
        """Take in what was written since the last time."""
        file = self.folder.events_file
        while True:
            events, end = read_events(file, self.offset)
            if end == self.offset:
                return
            for placed in events:
                self._take(placed)
                self.last_offset = placed.offset
            self.offset = end

    def _take(self, placed: PlacedEvent) -> None:
        event = placed.event
        if isinstance(event, Metrics):
            at_s = event.at.timestamp()
            for name, value in event.values.items():
                series = self.series.get(name)
                if series is None:
                    series = self.series[name] = Series()
                series.add(event.step, value, at_s, event.epoch)
        elif isinstance(event, Progress):
            self._enter(event.phase, event.at)
        elif isinstance(event, Samples):
            self.samples.append((placed.offset, event))
        elif isinstance(event, Started | Notice | Checkpoint | Failed):
            self.remarks.append((placed.offset, event))
            if isinstance(event, Started):
                self._enter(Phase.PREPARING, event.at)
            elif isinstance(event, Checkpoint):
                self.checkpoints.append(event)
        if event.type in TERMINAL_TYPES:
            self.ended_at = event.at

    def _enter(self, phase: Phase, at: datetime) -> None:
        if not self.phases or (self.phases[-1][0] != phase and len(self.phases) < MAX_PHASES):
            self.phases.append((phase, at))


_kept: OrderedDict[Path, History] = OrderedDict()
_kept_guard = threading.Lock()


@contextmanager
def history_of(folder: RunFolder) -> Iterator[History]:
    """What an attempt has said until now; nobody else changes it in the meantime."""
    history = _kept_history(folder)
    with history.guard:
        history.catch_up()
        yield history


def _kept_history(folder: RunFolder) -> History:
    file = folder.events_file
    try:
        found = file.stat()
    except FileNotFoundError:
        return History(folder)
    with _kept_guard:
        history = _kept.get(file)
        # Another file under the same name, or one that was cut: begin anew.
        if history is None or history.inode != found.st_ino or history.offset > found.st_size:
            history = _kept[file] = History(folder, found.st_ino)
        _kept.move_to_end(file)
        while len(_kept) > KEPT_RUNS:
            _kept.popitem(last=False)
        return history
