"""API shapes of tasks: a fine-tuning asked for by a user."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from backend.errors import FieldError
from backend.jobs.failures import FailureKind
from backend.jobs.queue import WaitReason
from backend.jobs.retries import MAX_AUTOMATIC_RETRIES
from backend.jobs.schemas import JobStatus, Priority
from training_engine.contract.choices import Device, Method, Objective, Precision
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.names import Phase
from training_engine.contract.spec import Distributed

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
OutputName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[\w][\w.-]*$"
    ),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]


ChatTemplate = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class Complexity(StrEnum):
    """How much is to be learnt; drives the recommended values."""

    SIMPLE = "simple"
    MEDIUM = "medium"
    COMPLEX = "complex"


class Intent(StrEnum):
    """What the tuned model is for."""

    CHAT = "chat"
    INSTRUCTION = "instruction"
    CLASSIFICATION = "classification"
    TRANSLATION = "translation"
    QUESTION_ANSWERING = "question_answering"
    OTHER = "other"


# In one's own words where no known one fits; the browser app shows it as it is.
OwnIntent = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


Retries = Annotated[int, Field(ge=0, le=MAX_AUTOMATIC_RETRIES)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Split = Annotated[str, StringConstraints(min_length=1, max_length=64)]


# Commas part the tags of a filter in an address.
Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=50, pattern=r"^[^,\r\n]*$"),
]
MAX_TAGS = 20


def _each_once(tags: list[str]) -> list[str]:
    """Without repetitions, whatever their case; the first way of writing stays."""
    return list({tag.lower(): tag for tag in reversed(tags)}.values())[::-1]


Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS), AfterValidator(_each_once)]


class TaskPlan(BaseModel):
    """What is to be trained: the part that an estimate needs."""

    model_config = ConfigDict(extra="forbid")

    objective: Objective = Objective.SFT
    model_id: UUID
    dataset_id: UUID
    dataset_version: Version | None = Field(None, description="Default: the newest")
    dataset_split: Split | None = Field(
        None, description="Default: `train` where the version is divided, else all rows"
    )
    validation_dataset_id: UUID | None = None
    validation_version: Version | None = Field(None, description="Default: the newest")
    validation_split: Split | None = Field(
        None, description="Default: `validation` where the version is divided, else all rows"
    )
    method: Method = Method.LORA
    hyperparameters: Hyperparameters = Hyperparameters()
    distributed: Distributed = Distributed()
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    deterministic: bool = Field(
        False, description="Only operations that give the same bits in every run; slower"
    )
    chat_template: ChatTemplate | None = Field(
        None, description="Jinja text in place of the model's own template"
    )


class TaskCreate(TaskPlan):
    """Create and queue a task. Send an `Idempotency-Key` header: a retry creates nothing twice."""

    name: Name
    description: Text = ""
    intent: Intent | OwnIntent = Intent.OTHER
    output_name: OutputName
    parent_id: UUID | None = Field(None, description="The task whose values were taken over")
    accept_memory_risk: bool = Field(
        False, description="Create it although it is not expected to fit into the memory"
    )
    priority: Priority = Field(
        Priority.NORMAL, description="Higher ones are taken first; among equals the users share"
    )
    automatic_retries: Retries = Field(
        0, description="How often it is queued again by itself after the machine failed it"
    )


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
    estimate: "Estimate | None" = Field(description="What was expected when it was created")
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


class StopRequest(BaseModel):
    """`save` keeps a checkpoint to resume from; without, steps since the last one are lost."""

    model_config = ConfigDict(extra="forbid")

    save: bool = True


class AgainRequest(BaseModel):
    """How another attempt differs from the last one."""

    model_config = ConfigDict(extra="forbid")

    micro_batch_size: int | None = Field(
        None, ge=1, description="Computed at once from now on; the effective batch stays"
    )
    gradient_checkpointing: bool | None = Field(
        None, description="Whether activations are computed twice from now on: slower, less memory"
    )


class TaskUpdate(BaseModel):
    """Rename, describe, mark, or change how it is queued (its priority only while it waits)."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Text | None = None
    tags: Tags | None = Field(None, description="All of them: those that are missing go")
    priority: Priority | None = Field(None, description="Only while it waits in the queue")
    automatic_retries: Retries | None = None


class MemoryPart(BaseModel):
    """One part of the memory a run needs: weights, adapters, optimizer, gradients, activations …"""

    name: str
    size_bytes: int


class Finding(BaseModel):
    """Something to know before starting."""

    code: str
    message: str
    params: dict[str, str | int | float | bool | None] = {}
    blocking: bool = False


class Estimate(BaseModel):
    """What a run will need on this host; null where it can not be known yet."""

    memory_bytes: int | None
    memory_available_bytes: int
    memory_parts: list[MemoryPart]
    fit: Literal["fits", "tight", "will_not_fit", "unknown"]
    disk_bytes: int
    disk_available_bytes: int
    time_s: float | None = Field(None, description="Expected; likely between the other two")
    time_low_s: float | None
    time_high_s: float | None
    total_steps: int
    num_tokens: int = Field(description="Tokens seen over the whole run")
    num_rows: int
    device: str
    warnings: list[Finding]
    smaller_settings: list[FieldError] = Field(
        [], description="Changes with which it fits, all together, when it will not as it is"
    )


class RecommendRequest(BaseModel):
    """Ask for values that suit the model, the data and the difficulty."""

    model_config = ConfigDict(extra="forbid")

    model_id: UUID
    dataset_id: UUID
    dataset_version: Version | None = None
    dataset_split: Split | None = None
    validation_dataset_id: UUID | None = None
    validation_version: Version | None = None
    validation_split: Split | None = None
    objective: Objective = Objective.SFT
    method: Method | None = None
    complexity: Complexity = Complexity.MEDIUM


class Recommendation(BaseModel):
    """Values, each with the reason in a sentence."""

    method: Method
    hyperparameters: Hyperparameters
    reasons: dict[str, str] = Field(description="Field → code of the reason")
    params: dict[str, str | int | float | bool | None] = {}


class Compatibility(BaseModel):
    """Whether data set and model fit the objective."""

    ok: bool
    problems: list[Finding]


class Draft(BaseModel):
    """What the wizard holds; kept on the server so that nothing is lost on refresh."""

    id: UUID
    values: dict[str, Any]
    step: int
    updated_at: datetime


class DraftSave(BaseModel):
    """Save the wizard's values as they are, valid or not."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any]
    step: int = Field(0, ge=0, le=3)


Task.model_rebuild()
