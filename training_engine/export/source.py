"""What is exported: the output folder of a finished run, and the base its adapter stands on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from training_engine.contract.choices import Head, Objective, head_of
from training_engine.contract.events import Samples, parse_event
from training_engine.contract.exports import ExportSpec
from training_engine.contract.model_folder import (
    ADAPTER_CONFIG_FILE,
    CONFIG_FILE,
    UnfitFolder,
    check_adapter,
    check_model,
    read_header,
    read_object,
    weight_files,
)
from training_engine.contract.names import EVENTS_FILE, FailureCode
from training_engine.failures import EngineFailure
from training_engine.models.adapter_files import TASK_TYPES
from training_engine.output import ARGUMENTS_FILE

MAX_PROMPTS = 3
MAX_PROMPT_LETTERS = 2000
MAX_EVENTS_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Source:
    """`folder` holds an adapter to `base`, or a whole model when `base` is None."""

    folder: Path
    base: Path | None
    head: Head
    trusted_code_sha256: str | None

    @property
    def model(self) -> Path:
        """The folder with the weights of a whole model."""
        return self.base or self.folder

    @property
    def trusted(self) -> bool:
        """Whether an administrator has allowed the model's own program, which `find` looked at."""
        return self.trusted_code_sha256 is not None

    def config(self) -> dict[str, Any]:
        """config.json of the whole model."""
        return read_object(self.model / CONFIG_FILE)

    def weights_bytes(self) -> int:
        """Bytes of the whole model's files of weights."""
        return sum(file.stat().st_size for file in weight_files(self.model))

    def numbers(self) -> int:
        """How many numbers the whole model consists of."""
        headers = (read_header(file).values() for file in weight_files(self.model))
        total = 0
        for header in headers:
            for tensor in header:
                size = 1
                for length in tensor.shape:
                    size *= length
                total += size
        return total


def find(spec: ExportSpec) -> Source:
    """The folders of a spec, looked at before anything is written; raises `EngineFailure`."""
    folder = Path(spec.source)
    trusted = spec.base.trusted_code_sha256 if spec.base is not None else None
    adapter = (folder / ADAPTER_CONFIG_FILE).is_file()
    try:
        if not adapter:
            check_model(folder, trusted)
            return Source(folder, None, _head_of_model(folder), trusted)
        kind = check_adapter(folder).get("task_type")
        if spec.base is None:
            raise EngineFailure(
                FailureCode.BAD_SPEC,
                "This result is an adapter, and nothing says which base model it stands on.",
                "Name the folder of the base model that it was trained on.",
            )
        base = Path(spec.base.path)
        check_model(base, trusted)
    except UnfitFolder as error:
        message = f"The result can not be exported: {error.message}"
        raise EngineFailure(FailureCode.MODEL_NOT_FOUND, message, error.hint) from error
    head = next((head for head, name in TASK_TYPES.items() if name == kind), Head.CAUSAL_LM)
    return Source(folder, base, head, trusted)


def _head_of_model(folder: Path) -> Head:
    """From what the run wrote beside the model, else from the name of its class."""
    try:
        arguments = json.loads((folder / ARGUMENTS_FILE).read_text("utf-8"))
        return head_of(Objective(arguments["objective"]))
    except (OSError, ValueError, KeyError, TypeError):
        names = " ".join(read_object(folder / CONFIG_FILE).get("architectures") or ())
    if "SequenceClassification" in names:
        return Head.SEQUENCE_CLASSIFICATION
    return Head.SEQ2SEQ_LM if "ConditionalGeneration" in names else Head.CAUSAL_LM


def held_out_prompts(output: Path) -> list[str]:
    """Prompts of rows that were held back from the training, from the events of its run."""
    events = output.parent / EVENTS_FILE
    found: dict[str, None] = {}
    try:
        if events.stat().st_size > MAX_EVENTS_BYTES:
            return []
        with events.open("rb") as lines:
            for line in lines:
                if b'"samples"' in line and isinstance(event := parse_event(line), Samples):
                    found |= dict.fromkeys(i.prompt[:MAX_PROMPT_LETTERS] for i in event.items)
    except (OSError, ValidationError):
        return []  # no run around it: fixed prompts do
    return [prompt for prompt in found if prompt.strip()][:MAX_PROMPTS]
