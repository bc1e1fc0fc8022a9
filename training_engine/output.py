"""The result of a run: a standard Hugging Face folder, complete or absent.

Adapter or model files come from `write_weights`; around them the tokenizer with its chat template,
a model card, the arguments of the training and a manifest of hashes.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_engine import checkpoints
from training_engine.contract.choices import ADAPTED, UNTEMPLATED, Head, Method, head_of
from training_engine.contract.names import OUTPUT_DIR
from training_engine.contract.spec import RunSpec
from training_engine.models.quantised import QUANTIZATION_FILE
from training_engine.tokenizer_files import copy_tokenizer, name_class, replace_templates

if TYPE_CHECKING:
    from training_engine.certificate import Certificate

ADAPTER = "adapter"
FINETUNE = "finetune"
ARGUMENTS_FILE = "training_args.json"
CERTIFICATE_FILE = "certificate.json"
# Pipelines by the hub's names.
TASKS = {
    Head.CAUSAL_LM: "text-generation",
    Head.SEQUENCE_CLASSIFICATION: "text-classification",
    Head.SEQ2SEQ_LM: "text2text-generation",
}


def write(
    run_dir: Path,
    spec: RunSpec,
    write_weights: Callable[[Path], None],
    metrics: Mapping[str, float | None],
    versions: Mapping[str, str],
    prove: Callable[[Path], "Certificate"],
    chat_template: str | None = None,
    tokenizer: Any = None,
) -> int:
    """Write `output/` atomically; returns its size in bytes.

    `prove` reads weights and tokenizer back, and raises unless they are sound; then there is no
    output at all. `chat_template`: the one that was trained with, where it is not the model's own.
    `tokenizer`: the one that was loaded, which knows its files. Raises `OSError` and
    `CorruptCheckpoint` too.
    """
    temporary, final = run_dir / f".{OUTPUT_DIR}", run_dir / OUTPUT_DIR
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        write_weights(temporary)
        copy_tokenizer([Path(spec.model.path)], temporary, tokenizer)
        if tokenizer is not None:
            name_class(temporary, tokenizer)
        if chat_template:
            replace_templates(temporary, chat_template)
        (temporary / ARGUMENTS_FILE).write_text(json.dumps(arguments(spec, versions), indent=1))
        certificate = prove(temporary)
        (temporary / CERTIFICATE_FILE).write_text(json.dumps(certificate.values(), indent=1))
        (temporary / "README.md").write_text(card(spec, metrics, versions, certificate))
        checkpoints.write_manifest(temporary, {"run_id": spec.run_id, "attempt": spec.attempt})
        checkpoints.verify(temporary)
        shutil.rmtree(final, ignore_errors=True)
        temporary.rename(final)
        checkpoints.sync(run_dir)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return sum(p.stat().st_size for p in final.rglob("*") if p.is_file())


def arguments(spec: RunSpec, versions: Mapping[str, str]) -> dict[str, Any]:
    """Everything needed to repeat the run, without paths of this machine."""
    return {
        "name": spec.name,
        "objective": spec.objective.value,
        "method": spec.method.value,
        "base_model": {"name": spec.model.name, "revision": spec.model.revision},
        "dataset": {"name": spec.dataset.name, "sha256": spec.dataset.sha256},
        "hyperparameters": spec.hyperparameters.model_dump(mode="json"),
        "versions": dict(versions),
        "code_version": spec.code_version,
    }


def card(
    spec: RunSpec,
    metrics: Mapping[str, float | None],
    versions: Mapping[str, str],
    certificate: "Certificate",
) -> str:
    """The model card: metadata that hubs read, then the same for people."""
    adapter = spec.method in ADAPTED
    kind = TASKS[head_of(spec.objective)]
    front: dict[str, Any] = {
        "library_name": "peft" if adapter else "transformers",
        "base_model": spec.model.name,
        "base_model_relation": ADAPTER if adapter else FINETUNE,
        "pipeline_tag": kind,
        "tags": ["easytune", spec.objective.value, spec.method.value],
    }
    results = {k: v for k, v in metrics.items() if k in {"eval_loss", "loss"} and v is not None}
    if results:
        task = {"type": kind, "name": kind.replace("-", " ").capitalize()}
        data = {"name": spec.dataset.name, "type": "custom"}
        measured = [{"type": name, "value": round(v, 4)} for name, v in results.items()]
        entry = {"task": task, "dataset": data, "metrics": measured}
        front["model-index"] = [{"name": spec.output_name, "results": [entry]}]
    # JSON is YAML: no second writer, and nothing in a name can break out of its place.
    head = "\n".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in front.items())
    return f"---\n{head}\n---\n\n{_body(spec, metrics, versions, certificate)}"


def _body(
    spec: RunSpec,
    metrics: Mapping[str, float | None],
    versions: Mapping[str, str],
    certificate: "Certificate",
) -> str:
    knobs = spec.hyperparameters
    numbers = "\n".join(
        f"| {name} | {value:g} |" if name.endswith("step") else f"| {name} | {value:.4f} |"
        for name, value in metrics.items()
        if value is not None
    )
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"""# {spec.output_name}

{spec.model.name}, fine-tuned ({spec.objective.value}, {spec.method.value}) on “{spec.dataset.name}”
({spec.dataset.num_rows} rows) with EasyTune.

| measured | value |
|---|---|
{numbers}

Learning rate {knobs.learning_rate:g}, batch size {knobs.batch_size}, at most {knobs.max_length}
tokens per sample, seed {knobs.seed}. Everything else stands in `{ARGUMENTS_FILE}`.{_base_of(spec)}

{_template_of(spec)} Data set
sha256: `{spec.dataset.sha256}`. Made with {used}.

{certificate.sentence}
"""


def _template_of(spec: RunSpec) -> str:
    """Which chat template belongs to the result, if any does."""
    if spec.objective in UNTEMPLATED:
        return "It was trained on texts as they are, without a chat template."
    return "The chat template in this folder is the one that was trained with; use no other."


def _base_of(spec: RunSpec) -> str:
    """On what the adapter was trained, where that is not the base model as it is."""
    if spec.method is not Method.QLORA:
        return ""
    return f"""

It was trained on the base packed to {spec.hyperparameters.quantization.value} and answers as
measured on that one: `{QUANTIZATION_FILE}` holds the arguments of BitsAndBytesConfig for it.
"""
