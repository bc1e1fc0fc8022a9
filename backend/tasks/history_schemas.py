"""API shapes of what happened in a task: log, metrics, events, samples, checkpoints."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class LogLine(BaseModel):
    """A line of a run's log. `id` is `ATTEMPT-OFFSET`; `number` counts from 1."""

    id: str
    number: int
    at: datetime
    level: Literal["debug", "info", "warning", "error"]
    stream: Literal["out", "err", "host"]
    text: str
    continued: bool = Field(False, description="Goes on in the next line (split at 64 KB)")
    rank: int | None = Field(None, description="Which of several processes said it")
    colours: list[tuple[int, int, str]] = Field(
        [],
        description="Characters `start` to `end` of the text (exclusive, in UTF-16 units as "
        'JavaScript counts) and their terminal colours: "31", "1;32"',
    )


class LogPage(BaseModel):
    """Lines in order. `after` = `next` goes on; `total` counts the lines of the attempt so far."""

    items: list[LogLine]
    next: str = Field(description="Pass as `after` to go on, also to the stream")
    total: int
    matched: int | None = Field(
        description="Lines that match the filter; null without one, or while not all were looked at"
    )
    hidden: int | None = Field(None, description="Lines that the filter hides, if that is known")


class MetricPoint(BaseModel):
    """One value; null marks NaN or infinity."""

    step: int
    value: float | None
    at: datetime


class MetricSeries(BaseModel):
    """Series by name; `attempts` marks at which step each attempt began."""

    series: dict[str, list[MetricPoint]]
    attempts: dict[str, int] = Field(description="Attempt → first step")
    checkpoints: list[int] = Field(description="Steps with a checkpoint")
    next: str = Field(description="Pass as `after` to the event stream to go on")


class TaskEvent(BaseModel):
    """Something that happened to a task: a transition, a notice, a checkpoint."""

    id: str
    at: datetime
    attempt: int
    type: str
    level: Literal["info", "warning", "error"]
    code: str
    message: str
    params: dict[str, Any] = {}


class SampleItem(BaseModel):
    """An answer generated in training, beside the expected one."""

    prompt: str
    expected: str
    answer: str


class TaskSamples(BaseModel):
    """Answers of the model at a step."""

    step: int
    at: datetime
    items: list[SampleItem]


class TaskCheckpoint(BaseModel):
    """A committed checkpoint."""

    attempt: int
    step: int
    name: str
    size_bytes: int
    at: datetime
    exists: bool
