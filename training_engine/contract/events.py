"""What the engine says while it runs: one JSON object per line of `events.jsonl`.

The first event is `started`; exactly one of `finished`, `stopped`, `failed` is the last. A union
closed by `type`: a reader refuses what it does not know. Non-finite numbers travel as null.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from training_engine.contract.names import CONTRACT_VERSION, FailureCode, Phase

Scalar = str | int | float | bool | None


class Envelope(BaseModel):
    """What every event carries: contract version, position from 0, time in UTC."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    v: int = CONTRACT_VERSION
    seq: int
    at: datetime


class Started(Envelope):
    """The engine read its spec and begins; `device_reason` says why this device and type."""

    type: Literal["started"] = "started"
    device: str
    dtype: str
    device_reason: str
    versions: dict[str, str]


class Progress(Envelope):
    """Where the run stands. `fraction` 0–1 of the work; `eta_s` is absent until it is known.

    `peak_memory_bytes`: the most held so far, of the GPU that computes, else of main memory by all
    processes of the run; absent where the system does not tell.
    """

    type: Literal["progress"] = "progress"
    phase: Phase
    step: int = 0
    total_steps: int | None = None
    epoch: float | None = None
    fraction: float | None = None
    eta_s: float | None = None
    tokens_per_s: float | None = None
    peak_memory_bytes: int | None = None
    detail: str | None = None


class Metrics(Envelope):
    """Named numbers at an optimizer step: loss, eval_loss, learning_rate, grad_norm, …"""

    type: Literal["metrics"] = "metrics"
    step: int
    epoch: float | None = None
    values: dict[str, float | None]


class Checkpoint(Envelope):
    """A checkpoint is committed; `name` is its folder below `checkpoints/`."""

    type: Literal["checkpoint"] = "checkpoint"
    step: int
    name: str
    size_bytes: int
    manifest_sha256: str


class Notice(Envelope):
    """Something the user should know; `code` and `params` are for translation."""

    type: Literal["notice"] = "notice"
    level: Literal["info", "warning", "error"]
    code: str
    message: str
    params: dict[str, Scalar] = {}


class Sample(BaseModel):
    """An answer generated during training, beside what the data expects."""

    prompt: str
    expected: str
    answer: str


class Samples(Envelope):
    """Answers of the model as it is at `step`."""

    type: Literal["samples"] = "samples"
    step: int
    items: list[Sample]


class Finished(Envelope):
    """The output folder is complete and verified.

    `peak_device_bytes`: the most of a GPU's own memory that a process held; absent elsewhere.
    """

    type: Literal["finished"] = "finished"
    step: int
    metrics: dict[str, float | None] = {}
    output_bytes: int = 0
    peak_device_bytes: int | None = None


class Stopped(Envelope):
    """The user asked for it; `checkpoint` names what a resume continues from."""

    type: Literal["stopped"] = "stopped"
    step: int
    checkpoint: str | None = None
    peak_device_bytes: int | None = None


class Failed(Envelope):
    """The run cannot go on: closed code, plain sentence, next action."""

    type: Literal["failed"] = "failed"
    code: FailureCode
    message: str
    hint: str
    step: int | None = None
    params: dict[str, Scalar] = {}


Event = Annotated[
    Started | Progress | Metrics | Checkpoint | Notice | Samples | Finished | Stopped | Failed,
    Field(discriminator="type"),
]
TERMINAL_TYPES = frozenset({"finished", "stopped", "failed"})

_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(line: bytes | str) -> Event:
    """One line of `events.jsonl`; raises `pydantic.ValidationError` for anything unknown."""
    return _adapter.validate_json(line)
