"""The YAML that `easytune train` reads: one run, its model and its data, named by files.

All errors are reported at once, each with the line it stands on.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from backend.datasets.schemas import Mapping
from backend.models.starters import STARTER
from backend.tasks import chat_template
from backend.tasks.change_schemas import Name, OutputName
from backend.tasks.plan_schemas import ChatTemplate
from training_engine.contract.choices import Device, Method, Objective, Precision
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.mistakes import touched
from training_engine.contract.names import RecordType
from training_engine.contract.spec import Distributed, misfits_in, right_choices

MAX_BYTES = 1024 * 1024
SENTENCES = {"missing": "this is needed", "extra_forbidden": "there is no such field"}
Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class ModelWish:
    """The model that a run file names, and what it has to be able to do; None: not known."""

    name: str
    objective: Objective | None
    max_length: int | None
    brings_template: bool = False
    trusted_code_sha256: str | None = None


class BadTrainFile(Exception):
    """The file has errors; `errors` has one line each, `FILE:LINE: field: what is wrong`.

    `model`: what can be read of it all the same, so that the model can be looked at too.
    """

    def __init__(self, errors: list[str], model: ModelWish | None = None) -> None:
        self.errors, self.model = errors, model
        super().__init__("\n".join(errors))


def place_of(value: str | Path, base: Path) -> Path:
    """A path as a run file in `base` means it; raises `ValueError` for the home of nobody."""
    try:
        return (base / Path(value).expanduser()).resolve()
    except RuntimeError as error:  # ~somebody, who has no account here
        raise ValueError(f"there is no home folder for {value}") from error


def _beside(value: Path, info: ValidationInfo) -> Path:
    """A path as the file means it: relative to its own folder."""
    base: Path = (info.context or {}).get("base", Path())
    found = place_of(value, base)
    if not found.is_file():
        raise ValueError(f"there is no file {found}")
    return found


def _readable(template: str) -> str:
    """A chat template that can be parsed."""
    for error in chat_template.errors_of(template):
        raise ValueError(error.message[0].lower() + error.message[1:])
    return template


def _short(value: Any) -> Any:
    """`dataset: FILE` is `dataset: {path: FILE}`."""
    return {"path": value} if isinstance(value, str) else value


class DataFile(BaseModel):
    """A data file in any format that can be uploaded, or with `record_type` a version as it was
    exported in the form `jsonl`, which is taken as it is.

    `sha256`: of the version, or of its part `split`; other rows are refused. `version` tells which
    one of the data set it was.
    """

    model_config = ConfigDict(extra="forbid")

    path: Annotated[Path, AfterValidator(_beside)]
    mapping: Mapping | None = None
    max_dropped_rows: Annotated[int, Field(ge=0)] = 0
    version: Annotated[int, Field(ge=1)] | None = None
    split: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    record_type: RecordType | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _taken_as_it_is(self) -> Self:
        if self.record_type is not None and self.mapping is not None:
            raise ValueError("with record_type the file is taken as it is: leave the mapping out")
        if self.split is not None and self.record_type is None:
            raise ValueError(
                "a part is exported from its version (as jsonl); say its record_type, too"
            )
        return self


Data = Annotated[DataFile, BeforeValidator(_short)]


class TrainFile(BaseModel):
    """A run. `model`: a starter model, a folder, a hub id, or `ROOT/FOLDER` below a model root.

    A hub id means a model that this platform has downloaded, else one in the local cache.
    `trusted_code_sha256`: of the model's own program files, which may then be executed.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    model: Annotated[str, Field(min_length=1)] = STARTER
    trusted_code_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    dataset: Data
    validation: Data | None = None
    objective: Objective = Objective.SFT
    method: Method = Method.LORA
    hyperparameters: Hyperparameters = Hyperparameters()
    distributed: Distributed = Distributed()
    output_name: OutputName
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    deterministic: bool = False
    chat_template: Annotated[ChatTemplate, AfterValidator(_readable)] | None = None

    @property
    def wish(self) -> ModelWish:
        """What its model has to be."""
        return ModelWish(
            self.model,
            self.objective,
            self.hyperparameters.max_length,
            brings_template=self.chat_template is not None,
            trusted_code_sha256=self.trusted_code_sha256,
        )


def read(file: Path) -> TrainFile:
    """The run that `file` describes; raises `BadTrainFile` or `OSError`."""
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise BadTrainFile([f"{file}: this is larger than {MAX_BYTES} bytes; is it a run file?"])
    try:
        text = content.decode("utf-8-sig")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise BadTrainFile([f"{file}: this is not UTF-8 text ({error.reason})"]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BadTrainFile([f"{file}:{line}: not YAML: {error.problem}"]) from error
    except yaml.YAMLError as error:
        raise BadTrainFile([f"{file}: not YAML: {error}"]) from error
    if not isinstance(values, dict):
        raise BadTrainFile([f"{file}:1: a run file is a mapping (name: …, dataset: …, …)"])
    lines: dict[Path_, int] = {}
    errors = _walk(node, (), lines)
    found: TrainFile | None = None
    wrong: set[Path_] = set()
    try:
        found = TrainFile.model_validate(values, context={"base": file.resolve().parent})
    except ValidationError as invalid:
        errors += _told(invalid, lines)
        wrong = {tuple(item["loc"]) for item in invalid.errors()}
    errors += [
        (_line(misfit.place, lines), f"{'.'.join(misfit.place)}: {misfit.message}")
        for misfit in misfits_in(values, wrong)
    ]
    if errors or found is None:
        told = [f"{file}:{line}: {told}" for line, told in sorted(errors)]
        raise BadTrainFile(told, found.wish if found else _wish(values, wrong))
    return found


def _wish(values: dict[str, Any], wrong: set[Path_]) -> ModelWish | None:
    """What can be read of the model in a file that has errors."""
    if touched([("model",)], wrong):
        return None
    right = right_choices(values, wrong)
    length, objective = ("hyperparameters", "max_length"), ("objective",)
    code = ("trusted_code_sha256",)
    return ModelWish(
        values.get("model", STARTER),
        None if touched([objective], wrong) else right.objective,
        None if touched([length], wrong) else right.hyperparameters.max_length,
        brings_template=bool(values.get("chat_template")),
        trusted_code_sha256=None if touched([code], wrong) else values.get(code[0]),
    )


def _walk(node: Any, at: Path_, lines: dict[Path_, int]) -> list[tuple[int, str]]:
    """Note on which line every value stands; keys that stand twice are errors."""
    errors: list[tuple[int, str]] = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, str(key.value))
            if place in lines:
                errors.append(
                    (key.start_mark.line + 1, f"{'.'.join(map(str, place))}: stands twice")
                )
            lines[place] = key.start_mark.line + 1
            errors += _walk(value, place, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*at, index)] = value.start_mark.line + 1
            errors += _walk(value, (*at, index), lines)
    return errors


def _line(place: Path_, lines: dict[Path_, int]) -> int:
    """The line of a field, or of the nearest one around it that the file has."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _told(error: ValidationError, lines: dict[Path_, int]) -> list[tuple[int, str]]:
    """Line and sentence of each error; alternatives of one field are told once."""
    told: dict[tuple[int, str], str] = {}
    for item in error.errors():
        place = tuple(item["loc"])
        while place and place not in lines and item["type"] != "missing":
            place = place[:-1]
        field = ".".join(map(str, place)) or "the file"
        message = SENTENCES.get(item["type"]) or item["msg"].removeprefix("Value error, ")
        told.setdefault((_line(place, lines), field), message)
    return [(line, f"{field}: {message}") for (line, field), message in told.items()]
