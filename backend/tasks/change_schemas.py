"""API shapes of what is done with tasks: create, change, stop, start again."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from backend.jobs.retries import MAX_AUTOMATIC_RETRIES
from backend.jobs.schemas import Priority
from backend.tasks.plan_schemas import TaskPlan

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
OutputName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[\w][\w.-]*$"
    ),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]
Retries = Annotated[int, Field(ge=0, le=MAX_AUTOMATIC_RETRIES)]
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
