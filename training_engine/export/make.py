"""Writes an export into a folder and checks it there: the steps from weights to figures."""

import shutil
from pathlib import Path
from typing import Any

from training_engine import checkpoints
from training_engine.contract.exports import ExportChecks, ExportFormat, ExportSpec
from training_engine.contract.model_folder import INDEX_FILE
from training_engine.contract.names import MANIFEST_FILE, FailureCode, Phase
from training_engine.export import check
from training_engine.export import source as sources
from training_engine.export.gguf import read_facts, restore_digits
from training_engine.export.gguf_file import NotForGguf, write_gguf
from training_engine.export.gguf_vocabulary import OtherTokenizer, as_named, templates_in
from training_engine.export.merge import MergeError, merge
from training_engine.export.progress import Progress
from training_engine.export.shards import write_shards
from training_engine.export.source import Source
from training_engine.failures import EngineFailure
from training_engine.models import load
from training_engine.proof import SAMPLE
from training_engine.tokenizer_files import leave_to_files


def make(
    spec: ExportSpec, source: Source, partial: Path, plain: Path, progress: Progress
) -> tuple[ExportChecks, dict[str, int]]:
    """Write the export into `partial` and check it there."""
    progress.step(Phase.PREPARING, 0.01, "Reading what was trained")
    prompts = [*sources.held_out_prompts(source.folder), *check.PROMPTS]
    reading = check.prepare(source, prompts)
    wanted = check.trained(source, reading, progress.look)
    whole = _plain(spec, source, plain, progress)
    types: dict[str, int] = {}
    error = None
    if spec.format is ExportFormat.MERGED:
        detail = "Writing the model"
        progress.step(Phase.SAVING, 0.5, detail)
        _copy_others(whole, partial)
        report = progress.within(Phase.SAVING, 0.5, 0.75, detail)
        write_shards(whole, partial, spec.max_shard_bytes, report)
        shutil.rmtree(plain, ignore_errors=True)
        progress.step(Phase.EVALUATING, 0.75, "Loading the model again and comparing its answers")
        found = check.exported_folder(partial, reading, progress.look, source)
    else:
        detail = "Writing the GGUF file"
        progress.step(Phase.SAVING, 0.4, detail)
        report = progress.within(Phase.SAVING, 0.4, 0.75, detail)
        file = partial / gguf_name(spec)
        try:
            types = write_gguf(whole, file, spec.format, spec.name, report)
        except (NotForGguf, OtherTokenizer) as refusal:
            raise _refusal(str(refusal)) from refusal
        checkpoints.sync(file)
        progress.step(Phase.EVALUATING, 0.75, "Loading the file again and comparing its answers")
        found, error = check.exported_gguf(file, whole, reading, progress.look)
        _check_tokenizer(file, whole, prompts, trusted=source.trusted)
    dtype = reading.placement.dtype
    return check.compare(wanted, found, spec.format, dtype, error), types


def gguf_name(spec: ExportSpec) -> str:
    """`NAME-Q8_0.gguf`, as such files are called everywhere."""
    return f"{spec.name}-{spec.format.value.removeprefix('gguf_').upper()}.gguf"


def _plain(spec: ExportSpec, source: Source, target: Path, progress: Progress) -> Path:
    """A folder with the whole model: the run's own, or its adapter folded into the base."""
    if source.base is None:
        return source.folder
    progress.step(Phase.SAVING, 0.2, "Folding the adapter into its base")
    try:
        merge(source.base, source.folder, target, spec.name, trusted=source.trusted)
    except MergeError as error:
        raise _refusal(str(error).rstrip(".")) from error
    return target


def _copy_others(folder: Path, target: Path) -> None:
    """Everything of a model folder but its weights and what describes them."""
    left_out = {MANIFEST_FILE, INDEX_FILE}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".safetensors" and path.name not in left_out:
            copied = target / path.relative_to(folder)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
    leave_to_files(target)


def _check_tokenizer(file: Path, plain: Path, prompts: list[str], *, trusted: bool) -> None:
    """The tokenizer in the file must give the texts and the ids that training saw."""
    from transformers import AutoTokenizer

    fresh = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    restore_digits(fresh, read_facts(file).pre_tokenizer)
    own = load.load_tokenizer(plain, trusted=trusted)
    for text in (SAMPLE, *prompts):
        options: dict[str, Any] = {"add_special_tokens": False}
        if fresh(text, **options)["input_ids"] != own(text, **options)["input_ids"]:
            raise _refusal("its tokenizer, read back from the file, gives other tokens")
    if templates_in(file) != as_named(own.chat_template):
        raise _refusal(
            "its chat template, read back from the file, is not the one that it was trained with"
        )


def _refusal(why: str) -> EngineFailure:
    message = f"This model can not be exported so: {why}."
    return EngineFailure(FailureCode.BAD_SPEC, message, "Export it as a merged model instead.")
