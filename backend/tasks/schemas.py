"""API shapes of tasks: a fine-tuning asked for by a user."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from backend.jobs.failures import FailureKind
from backend.jobs.queue import WaitReason
from backend.jobs.schemas import JobStatus, Priority
from backend.tasks.plan_schemas import Estimate
from training_engine.contract.choices import Device, Method, Objective, Precision
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.names import Phase
from training_engine.contract.spec import Distributed


class Queue(BaseModel):
    """Why a task waits; `position` counts from 1 in the order in which tasks are taken."""

    position: int
    reason: WaitReason
    params: dict[str, str | int | float | bool | None] = {}


class TaskError(BaseModel):
    """Why a task failed, and what to do next."""

    code: str
    kind: FailureKind = Field(description="Where the cause lies")
    message: str
    hint: str
    params: dict[str, str | int | float | bool | None] = {}
    log_line: str | None = Field(None, description="Id of the log line that shows it")


class Failures(BaseModel):
    """How many attempts of a task failed, by where the cause lay."""

    infrastructure: int = 0
    own: int = 0
    internal: int = 0


class TaskReference(BaseModel):
    """A model or data set of a task, readable after it was deleted."""

    id: UUID
    name: str


class TaskData(TaskReference):
    """The rows of a task: a version of a data set, or one split of it."""

    version: int | None = Field(description="Not known of the first tasks")
    split: str | None


class BestMetric(BaseModel):
    """The best value that was measured so far: the lowest loss on held-out rows."""

    name: str
    value: float
    step: int


class Task(BaseModel):
    """A fine-tuning."""

    id: UUID
    name: str
    description: str
    intent: str = Field(description="An `Intent`, or the words of whoever created it")
    objective: Objective
    method: Method
    device: Device
    precision: Precision
    deterministic: bool
    chat_template: str | None
    model: TaskReference
    dataset: TaskData
    validation_dataset: TaskData | None
    output_name: str
    hyperparameters: Hyperparameters
    distributed: Distributed
    status: JobStatus
    phase: Phase | None
    queue: Queue | None
    resumable: bool = Field(description="A checkpoint exists to continue from")
    progress: float = Field(description="0–1")
    step: int
    total_steps: int | None
    epoch: float | None
    eta_s: float | None
    tokens_per_s: float | None
    attempt: int
    resumed: bool = Field(description="This attempt goes on from a checkpoint of one before")
    error: TaskError | None
    priority: Priority
    automatic_retries: int = Field(description="How often it may be queued again by itself")
    retries: int = Field(description="How often that has happened since it was last started")
    retry_at: datetime | None = Field(description="When the next automatic retry may start")
    failures: Failures
    recovered: bool = Field(
        description="Where it stands was found in its run folder: the database was older"
    )
    stalled_since: datetime | None = Field(description="Alive, but silent for longer than usual")
    metrics: dict[str, float | None] = Field(description="The last value of each")
    best_metric: BestMetric | None = Field(description="null before the first evaluation")
    tags: list[str]
    estimate: Estimate | None = Field(description="What was expected when it was created")
    peak_memory_bytes: int | None
    device_used: str | None
    device_reason: str | None
    has_artifact: bool
    parent_id: UUID | None = Field(description="The task this one was cloned from")
    accept_memory_risk: bool = Field(description="Created although it may not fit")
    owner: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
