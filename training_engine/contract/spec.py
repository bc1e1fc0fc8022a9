"""The run spec: everything a training run depends on, immutable, in `spec.json`."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails

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
from training_engine.contract.knob_names import under_present_names
from training_engine.contract.mistakes import Place, again, mistake, touched, without
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
    """Canonical records (Parquet or JSON lines) of one immutable data set version.

    With `split` only the rows that belong to it; number and sha256 are those of these rows.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    path: str
    sha256: str
    num_rows: int
    record_type: RecordType
    split: str | None = None


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

    @model_validator(mode="wrap")
    @classmethod
    def _all_is_told(cls, values: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        """Fields that are wrong, and beside them choices that exclude each other."""
        if not isinstance(values, dict):
            return handler(values)
        if isinstance(knobs := values.get("hyperparameters"), dict):
            values = {**values, "hyperparameters": under_present_names(knobs)}
        errors: list[InitErrorDetails] = []
        wrong: set[Place] = set()
        found: RunSpec | None = None
        try:
            found = handler(values)
        except ValidationError as invalid:
            errors = [again(item) for item in invalid.errors()]
            wrong = {item["loc"] for item in invalid.errors()}
        errors += [mistake(misfit.place, misfit.message) for misfit in misfits_in(values, wrong)]
        errors += _foreign_rows(values, wrong)
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return found


class Choices(BaseModel):
    """Of a run, what can exclude each other; nothing else is looked at."""

    objective: Objective = Objective.SFT
    method: Method = Method.LORA
    hyperparameters: Hyperparameters = Hyperparameters()
    distributed: Distributed = Distributed()


class Misfit(NamedTuple):
    """Choices that exclude each other: a code, the field to change, a sentence.

    `between`: the fields that have to be right by themselves for this to be true. `params`: the
    numbers that the sentence names.
    """

    code: str
    place: tuple[str, ...]
    message: str
    between: tuple[Place, ...]
    params: Mapping[str, int] = MappingProxyType({})


_METHOD = ("method",)
_OPTIMIZER, _BATCH = ("hyperparameters", "optimizer"), ("hyperparameters", "batch_size")
_STRATEGY, _PROCESSES = ("distributed", "strategy"), ("distributed", "processes")


def misfits(
    objective: Objective, method: Method, knobs: Hyperparameters, distributed: Distributed
) -> list[Misfit]:
    """What in a run can not go together, all of it."""
    found = []
    count, batch = distributed.processes, knobs.batch_size
    if knobs.optimizer is Optimizer.MUON and method not in (Method.FULL, Method.FREEZE):
        message = "muon is for the matrices of full tuning; adapters take adamw"
        found.append(Misfit("muon_on_adapters", _OPTIMIZER, message, (_METHOD, _OPTIMIZER)))
    sharded = distributed.strategy is Strategy.FSDP and count > 1
    shared = (_STRATEGY, _PROCESSES)
    if sharded and method is Method.QLORA:
        message = "quantised weights can not be sharded; use ddp, or lora with fsdp"
        found.append(Misfit("quantised_shards", _STRATEGY, message, (_METHOD, *shared)))
    if sharded and knobs.optimizer is not Optimizer.ADAMW:
        message = "sharded weights are trained with adamw"
        found.append(Misfit("sharded_optimizer", _OPTIMIZER, message, (_OPTIMIZER, *shared)))
    if count > batch:
        message = (
            f"{count} processes share a step of {batch} samples, and some would have nothing to "
            f"compute; choose at most {batch}, or a larger batch_size"
        )
        params = {"processes": count, "batch_size": batch}
        found.append(Misfit("idle_processes", _PROCESSES, message, (_PROCESSES, _BATCH), params))
    return found


def misfits_in(values: dict[str, Any], wrong: Iterable[Place]) -> list[Misfit]:
    """Misfits among the values of a run's description that are right by themselves.

    `wrong`: the places of those that are not.
    """
    errors = list(wrong)
    right = right_choices(values, errors)
    found = misfits(right.objective, right.method, right.hyperparameters, right.distributed)
    return [misfit for misfit in found if not touched(misfit.between, errors)]


def right_choices(values: dict[str, Any], wrong: Iterable[Place]) -> Choices:
    """The choices of a run's description, with defaults for those that are `wrong`."""
    kept = without(values, wrong).items()
    given = {k: value for k, value in kept if k in Choices.model_fields}
    try:
        return Choices.model_validate(given)
    except ValidationError as clash:  # with the default of what is wrong: nobody chose that
        return Choices.model_validate(without(given, (item["loc"] for item in clash.errors())))


def _foreign_rows(values: dict[str, Any], wrong: Iterable[Place]) -> list[InitErrorDetails]:
    """Data sets whose rows are of another kind than the objective learns from."""
    errors, found = list(wrong), []
    for name in ("dataset", "validation_dataset"):
        data, place = values.get(name), (name, "record_type")
        if data is None or touched([("objective",), place], errors):
            continue
        objective = Objective(values.get("objective", Objective.SFT))
        known = data if isinstance(data, dict) else vars(data)
        kind = RecordType(known["record_type"])
        if kind not in RECORD_TYPES_OF[objective]:
            wanted = " or ".join(sorted(RECORD_TYPES_OF[objective]))
            called = known.get("name", "it")
            found.append(
                mistake(place, f"{called} holds {kind} rows and {objective} needs {wanted}")
            )
    return found
