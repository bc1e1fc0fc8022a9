"""A result counts only when it was read back: its weights are those that were trained, its
configuration and template parse, its tokenizer gives the ids that training saw, and it computes
what the trained model computes (`certificate.py`).

Works on the files alone, as whoever downloads them would.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from training_engine.certificate import Certificate, certify
from training_engine.contract.model_folder import (
    ADAPTER_CONFIG_FILE,
    ADAPTER_WEIGHTS_FILE,
    UnfitFolder,
    check_adapter,
    check_model,
    read_header,
    weight_files,
)
from training_engine.contract.names import FailureCode
from training_engine.data.chat import ChatTemplate
from training_engine.data.reading import Reading
from training_engine.failures import EngineFailure
from training_engine.models import load, method
from training_engine.models.adapter_files import peft_config, peft_tensors
from training_engine.models.quantised import QUANTIZATION_FILE, read_quantization
from training_engine.run import Run

# Words of several scripts, digits and code: what tokenizers treat differently.
SAMPLE = "Hello, world! 你好，世界。 Привет 1234567 x_1 = f(0.5)\n\n\ttab 🙂"
READ_AGAIN = "Check the disk, then resume the run: its checkpoints are kept."


def prove(folder: Path, run: Run, reading: Reading) -> Certificate:
    """Raise `EngineFailure` naming the first thing in `folder` that is not as it was trained.

    What is, is loaded again and computed with: returns what that showed.
    """
    try:
        if method.makes_adapter(run.spec):
            _prove_adapter(folder, run)
        else:
            _prove_model(folder, run)
    except UnfitFolder as error:
        raise _broken(error.message) from error
    trusted = run.spec.model.trusted_code_sha256 is not None
    _prove_tokenizer(folder, reading.template, trusted)
    return certify(folder, run, reading)


def _prove_adapter(folder: Path, run: Run) -> None:
    """Every matrix of every layer, the numbers that scale them, and how the base was stored."""
    config = check_adapter(folder)
    meant = peft_config(run.model, method.adapter_facts(run.spec))
    if odd := sorted(key for key in meant if config.get(key) != meant[key]):
        raise _broken(f"{ADAPTER_CONFIG_FILE} has another {odd[0]} than the run")
    if read_quantization(folder) != method.quantization_of(run.spec):
        raise _broken(f"{QUANTIZATION_FILE} does not say how the base was stored")
    wanted = peft_tensors(run.model, run.weights.masters)
    stored = set(read_header(folder / ADAPTER_WEIGHTS_FILE))
    if odd := sorted(stored ^ wanted.keys()):
        raise _broken(f"{ADAPTER_WEIGHTS_FILE} and the model differ in {odd[0]}")
    _compare([folder / ADAPTER_WEIGHTS_FILE], wanted)


def _prove_model(folder: Path, run: Run) -> None:
    """Every tensor; tied ones are stored once, as the base model stores them."""
    check_model(folder, run.spec.model.trusted_code_sha256)
    files = weight_files(folder)
    trained = run.model.state_dict()
    stored = {name for file in files for name in read_header(file)}
    base = {name for file in weight_files(Path(run.spec.model.path)) for name in read_header(file)}
    # Names that neither the model nor its base knows, or that nothing in the files stands for.
    if odd := sorted(stored - trained.keys() - base):
        raise _broken(f"the weights hold {odd[0]}, which the model does not have")
    present = {_place(trained[name]) for name in stored & trained.keys()}
    lost = {n for n, tensor in trained.items() if n not in stored and _place(tensor) not in present}
    lost -= set(getattr(run.model, "_keys_to_ignore_on_save", None) or ())  # it computes these
    if missing := sorted(name for name in lost if name in base or name in _learnt(run.model)):
        raise _broken(f"{missing[0]} was not written")
    _compare(files, {name: trained[name] for name in stored & trained.keys()})


def _learnt(model: nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def _place(tensor: Tensor) -> tuple[int, tuple[int, ...]]:
    """Where a tensor lives: tied weights share it."""
    return tensor.data_ptr(), tuple(tensor.shape)


def _compare(files: list[Path], wanted: Mapping[str, Tensor]) -> None:
    """Shape and every number, one tensor at a time."""
    for file in files:
        for name, stored in _tensors(file):
            if name not in wanted:
                continue
            trained = wanted[name].detach().to("cpu")
            same = stored.shape == trained.shape and stored.dtype == trained.dtype
            if not same or not torch.equal(_bits(stored), _bits(trained)):
                raise _broken(f"{name} in {file.name} is not what was trained")


def _bits(tensor: Tensor) -> Tensor:
    """As bytes: equal means equal, also for what is not a number."""
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _tensors(file: Path) -> Iterator[tuple[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118 - it is no mapping
                yield name, opened.get_tensor(name)
    except SafetensorError as error:
        raise _broken(f"{file.name} can not be read back") from error


def _prove_tokenizer(folder: Path, template: ChatTemplate, trusted: bool) -> None:
    """The same template, the same ids."""
    tokenizer = template.tokenizer
    text = SAMPLE + " ".join(tokenizer.all_special_tokens)
    try:
        fresh = ChatTemplate(load.load_tokenizer(folder, trusted=trusted), required=False)
    except EngineFailure as failure:
        raise _broken(failure.message.rstrip(".")) from failure
    if (fresh.template, fresh.tool_template) != (template.template, template.tool_template):
        raise _broken("its chat template is not the one that was trained with")
    if fresh.tokenizer(text)["input_ids"] != tokenizer(text)["input_ids"]:
        raise _broken("its tokenizer gives other ids than the one that was trained with")


def _broken(what: str) -> EngineFailure:
    message = f"The result was written but is not sound: {what.rstrip('.')}."
    return EngineFailure(FailureCode.CHECKPOINT_CORRUPT, message, READ_AGAIN)
