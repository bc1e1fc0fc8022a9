"""The run spec: everything a training run depends on, immutable, in `spec.json`.

A knob is one field of `Hyperparameters`: its default, range, unit and help stand here once and
reach the browser through the OpenAPI schema.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training_engine.contract.knob_names import refuse_unknown
from training_engine.contract.names import CONTRACT_VERSION, RecordType


class Objective(StrEnum):
    """What is learnt; the names of the files in `training_engine/objectives/`."""

    SFT = "sft"


class Method(StrEnum):
    """Which weights learn."""

    LORA = "lora"
    FULL = "full"


class Schedule(StrEnum):
    """Learning rate after warm-up."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"


class Device(StrEnum):
    """Where to compute; `auto` takes CUDA, then Apple's GPU, then the CPU."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Precision(StrEnum):
    """Number type of the computation; `auto` takes bfloat16 where the device is fast at it."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


RECORD_TYPES_OF: dict[Objective, frozenset[RecordType]] = {
    Objective.SFT: frozenset({RecordType.CONVERSATIONAL, RecordType.PROMPT_COMPLETION}),
}


def _knob(group: str, *, unit: str | None = None, **more: Any) -> dict[str, Any]:
    """Hints for the form: group, unit, for which methods the field matters."""
    return {"x-group": group, **({"x-unit": unit} if unit else {}), **more}


class Hyperparameters(BaseModel):
    """Every knob of a run, with defaults a beginner can trust."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    epochs: Annotated[
        float,
        Field(
            gt=0,
            le=100,
            description="How often the model sees the whole data set.",
            json_schema_extra=_knob("basic"),
        ),
    ] = 3
    max_steps: Annotated[
        int | None,
        Field(
            ge=1,
            le=10_000_000,
            description="Ends the run after this many optimizer steps, whatever the epochs say.",
            json_schema_extra=_knob("advanced", unit="steps"),
        ),
    ] = None
    learning_rate: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Size of an update. LoRA: 1e-4 to 5e-4; full tuning: 1e-5 to 5e-5.",
            json_schema_extra=_knob("basic"),
        ),
    ] = 2e-4
    batch_size: Annotated[
        int,
        Field(
            ge=1,
            le=4096,
            description="Samples per optimizer step (the effective batch).",
            json_schema_extra=_knob("basic", unit="samples"),
        ),
    ] = 8
    micro_batch_size: Annotated[
        int | Literal["auto"],
        Field(
            description="Samples computed at once; auto fits the memory. The result is the same.",
            json_schema_extra=_knob("advanced", unit="samples"),
        ),
    ] = "auto"
    max_length: Annotated[
        int,
        Field(
            ge=16,
            le=1_048_576,
            description="Longest sample in tokens; longer ones are cut, and counted.",
            json_schema_extra=_knob("basic", unit="tokens"),
        ),
    ] = 1024
    leave_out_overlong: Annotated[
        bool,
        Field(
            description="Leaves out rows whose whole answer lies beyond max_length, and counts "
            "them; otherwise one such row refuses the run.",
            json_schema_extra=_knob("advanced"),
        ),
    ] = False
    warmup_ratio: Annotated[
        float,
        Field(
            ge=0,
            le=0.5,
            description="Share of the steps in which the learning rate rises from zero.",
            json_schema_extra=_knob("advanced"),
        ),
    ] = 0.05
    schedule: Annotated[
        Schedule,
        Field(
            description="How the learning rate falls after warm-up.",
            json_schema_extra=_knob("advanced"),
        ),
    ] = Schedule.COSINE
    weight_decay: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Pulls weights towards zero (AdamW).",
            json_schema_extra=_knob("advanced"),
        ),
    ] = 0.0
    max_grad_norm: Annotated[
        float,
        Field(
            gt=0,
            le=1000,
            description="Gradients longer than this are shortened to it.",
            json_schema_extra=_knob("advanced"),
        ),
    ] = 1.0
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=2**31 - 1,
            description="Fixes order, split and initial adapter; same seed, same run.",
            json_schema_extra=_knob("advanced"),
        ),
    ] = 42
    packing: Annotated[
        bool,
        Field(
            description="Lays samples end to end without padding; they do not see each other.",
            json_schema_extra=_knob("advanced"),
        ),
    ] = True
    lora_rank: Annotated[
        int,
        Field(
            ge=1,
            le=512,
            description="Width of the adapter: more can learn more and costs memory.",
            json_schema_extra=_knob("basic", **{"x-methods": ["lora"]}),
        ),
    ] = 16
    lora_alpha: Annotated[
        float,
        Field(
            gt=0,
            le=2048,
            description="Strength of the adapter; usually twice the rank.",
            json_schema_extra=_knob("advanced", **{"x-methods": ["lora"]}),
        ),
    ] = 32
    lora_dropout: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="Share of adapter inputs dropped in training.",
            json_schema_extra=_knob("advanced", **{"x-methods": ["lora"]}),
        ),
    ] = 0.0
    target_modules: Annotated[
        list[str] | Literal["all-linear"],
        Field(
            description="Layers that get an adapter, by name; all-linear takes every one.",
            json_schema_extra=_knob("advanced", **{"x-methods": ["lora"]}),
        ),
    ] = "all-linear"
    evaluation_fraction: Annotated[
        float,
        Field(
            ge=0,
            le=0.5,
            description="Share of rows held out to measure on when no validation set is given.",
            json_schema_extra=_knob("basic"),
        ),
    ] = 0.05
    evaluation_steps: Annotated[
        int | None,
        Field(
            ge=1,
            description="Steps between evaluations; empty means about ten over the run.",
            json_schema_extra=_knob("advanced", unit="steps"),
        ),
    ] = None
    save_steps: Annotated[
        int | None,
        Field(
            ge=1,
            description="Steps between checkpoints; empty means with every evaluation.",
            json_schema_extra=_knob("advanced", unit="steps"),
        ),
    ] = None
    early_stopping_patience: Annotated[
        int | None,
        Field(
            ge=1,
            le=100,
            description="Evaluations without improvement after which the run ends; empty never.",
            json_schema_extra=_knob("advanced", unit="evaluations"),
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _names_are_known(cls, values: Any) -> Any:
        if isinstance(values, dict):
            refuse_unknown(values, cls.model_fields)
        return values

    @model_validator(mode="after")
    def _micro_batch_fits(self) -> "Hyperparameters":
        if isinstance(self.micro_batch_size, int):
            if self.micro_batch_size < 1:
                raise ValueError("micro_batch_size must be at least 1")
            if self.micro_batch_size > self.batch_size:
                raise ValueError("micro_batch_size must not exceed batch_size")
        return self


class ModelReference(BaseModel):
    """A base model: `name` is what cards and adapters say, `path` the folder to load from."""

    model_config = ConfigDict(extra="forbid")

    name: str
    path: str
    revision: str | None = None


class DatasetReference(BaseModel):
    """Canonical records (JSON lines) of one immutable data set version."""

    model_config = ConfigDict(extra="forbid")

    name: str
    path: str
    sha256: str
    num_rows: int
    record_type: RecordType


class RunSpec(BaseModel):
    """A training run. Written once, before the start, never changed."""

    model_config = ConfigDict(extra="forbid")

    contract_version: int = CONTRACT_VERSION
    kind: Literal["train"] = "train"
    run_id: str
    attempt: int = 1
    name: str
    objective: Objective = Objective.SFT
    method: Method = Method.LORA
    model: ModelReference
    dataset: DatasetReference
    validation_dataset: DatasetReference | None = None
    hyperparameters: Hyperparameters = Hyperparameters()
    output_name: str
    chat_template: str | None = None
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    deterministic: bool = False
    resume_from: str | None = None
    code_version: str = ""
