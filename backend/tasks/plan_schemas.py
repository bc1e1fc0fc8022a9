"""API shapes of what is to be trained before it is: the plan, what it needs, what is advised."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.errors import FieldError
from training_engine.contract.choices import Device, Method, Objective, Precision
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.spec import Distributed

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Split = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ChatTemplate = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class Complexity(StrEnum):
    """How much is to be learnt; drives the recommended values."""

    SIMPLE = "simple"
    MEDIUM = "medium"
    COMPLEX = "complex"


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
