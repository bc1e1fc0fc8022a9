"""The run spec: everything a training run depends on, immutable, in `spec.json`."""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from training_engine.contract.choices import (
    RECORD_TYPES_OF,
    Device,
    Method,
    Objective,
    Optimizer,
    Precision,
    Strategy,
)
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.names import CONTRACT_VERSION, RecordType


class ModelReference(BaseModel):
    """A base model: `name` is what cards and adapters say, `path` the folder to load from.

    `trusted_code_sha256`: of the program files in the folder, where an administrator has allowed
    them to be executed.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    path: str
    revision: str | None = None
    trusted_code_sha256: str | None = None


class DatasetReference(BaseModel):
    """Canonical records (JSON lines) of one immutable data set version."""

    model_config = ConfigDict(extra="forbid")

    name: str
    path: str
    sha256: str
    num_rows: int
    record_type: RecordType


class Distributed(BaseModel):
    """Several processes on this computer that share one run."""

    model_config = ConfigDict(extra="forbid")

    strategy: Strategy = Strategy.DDP
    processes: Annotated[
        int, Field(ge=1, le=64, description="Processes; on GPUs one for each.")
    ] = 1


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
    distributed: Distributed = Distributed()
    output_name: str
    chat_template: str | None = None
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    deterministic: bool = False
    resume_from: str | None = None
    code_version: str = ""

    @model_validator(mode="after")
    def _parts_fit(self) -> "RunSpec":
        problems = [
            (misfit.place, misfit.message)
            for misfit in misfits(
                self.objective, self.method, self.hyperparameters, self.distributed
            )
        ]
        for name in ("dataset", "validation_dataset"):
            data = getattr(self, name)
            if data is not None and data.record_type not in RECORD_TYPES_OF[self.objective]:
                wanted = " or ".join(sorted(RECORD_TYPES_OF[self.objective]))
                message = (
                    f"{data.name} holds {data.record_type} rows and {self.objective} needs {wanted}"
                )
                problems.append(((name, "record_type"), message))
        if problems:
            raise ValidationError.from_exception_data(
                type(self).__name__,
                [
                    InitErrorDetails(
                        type=PydanticCustomError("value_error", "{message}", {"message": message}),
                        loc=place,
                        input=None,
                    )
                    for place, message in problems
                ],
            )
        return self


class Misfit(NamedTuple):
    """Two choices that exclude each other: a code, the field to change, a sentence."""

    code: str
    place: tuple[str, ...]
    message: str


def misfits(
    objective: Objective, method: Method, knobs: Hyperparameters, distributed: Distributed
) -> list[Misfit]:
    """What in a run can not go together, all of it."""
    found = []
    optimizer, strategy = ("hyperparameters", "optimizer"), ("distributed", "strategy")
    if knobs.optimizer is Optimizer.MUON and method not in (Method.FULL, Method.FREEZE):
        message = "muon is for the matrices of full tuning; adapters take adamw"
        found.append(Misfit("muon_on_adapters", optimizer, message))
    sharded = distributed.strategy is Strategy.FSDP and distributed.processes > 1
    if sharded and method is Method.QLORA:
        message = "quantised weights can not be sharded; use ddp, or lora with fsdp"
        found.append(Misfit("quantised_shards", strategy, message))
    if sharded and knobs.optimizer is not Optimizer.ADAMW:
        message = "sharded weights are trained with adamw"
        found.append(Misfit("sharded_optimizer", optimizer, message))
    return found
