"""Fold a LoRA adapter into its base: one plain model folder that needs no PEFT.

W' = W + s·B·A, and for DoRA its rows at their learnt lengths, summed in fp32 and rounded once,
shard by shard, so that a large model never stands in memory twice. Over a packed base (QLoRA) W is
what was computed with: the matrix packed and unpacked again. A head that learnt in full takes its
place.
`python -m training_engine.export.merge BASE ADAPTER TARGET` does it by hand.
"""

import json
import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from training_engine import checkpoints
from training_engine.contract.choices import Head
from training_engine.contract.model_folder import (
    CONFIG_FILE,
    INDEX_FILE,
    runs_code,
    weight_files,
)
from training_engine.export.adapter_folder import (
    Factors,
    NotPlainLora,
    StoredAdapter,
    read_adapter,
)
from training_engine.failures import EngineFailure
from training_engine.models.load import load_tokenizer
from training_engine.models.method import copy_code
from training_engine.models.quantised import packed_and_back
from training_engine.models.skeleton import packed_layers
from training_engine.tokenizer_files import TOKENIZER_CONFIG_FILE, copy_tokenizer


class MergeError(Exception):
    """The adapter can not be folded into this base; the text says why."""


def merge(base: Path, adapter: Path, target: Path, name: str, *, trusted: bool = False) -> int:
    """Write base plus adapter to `target`, atomically; returns the bytes of all files.

    `name` is what the manifest calls the result. `trusted`: the base's own program may be executed,
    which a packed base needs, and a tokenizer with files of its own. Raises `MergeError` or
    `OSError`.
    """
    temporary = target.with_name(f".{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        _write(base, adapter, temporary, trusted=trusted)
        checkpoints.write_manifest(temporary, {"name": name})
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    checkpoints.sync(target.parent)
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def _write(base: Path, adapter: Path, target: Path, *, trusted: bool) -> None:
    try:
        stored = read_adapter(adapter)
    except (NotPlainLora, ValueError) as error:
        raise MergeError(f"The adapter {adapter.name} can not be merged: {error}.") from error
    packed = packed_layers(base, stored.head, trusted=trusted) if stored.quantization else set()
    files = weight_files(base)
    outer = _outer_name(files, stored)
    left = set(stored.factors)
    places: dict[str, str] = {}
    for shard in files:
        tensors: dict[str, Tensor] = {}
        with safe_open(shard, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                name = outer + key
                if name in stored.replaced:
                    continue
                weight, layer = file.get_tensor(key), name.removesuffix(".weight")
                if stored.quantization and _named(layer, packed) is not None:
                    weight = packed_and_back(weight, stored.quantization)
                if layer != name and layer in stored.factors:
                    left.discard(layer)
                    weight = _merged(weight, stored.factors[layer], layer)
                tensors[name] = weight
        if shard == files[-1]:
            tensors |= stored.replaced
        save_file(tensors, target / shard.name, metadata={"format": "pt"})
        places |= dict.fromkeys(tensors, shard.name)
    if left:
        raise MergeError(f"The base model has no layer {sorted(left)[0]}; it is another model.")
    if len(files) > 1:
        size = sum((target / file.name).stat().st_size for file in files)
        index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(places.items()))}
        (target / INDEX_FILE).write_text(json.dumps(index, indent=2))
    _copy_others(base, adapter, target, stored.head)
    # The adapter's tokenizer and template are the ones it was trained with.
    copy_tokenizer([adapter, base], target, _tokenizer(base, adapter, trusted=trusted))


def _tokenizer(base: Path, adapter: Path, *, trusted: bool) -> Any:
    """The tokenizer of the result; None where it can not be loaded: its known files are copied."""
    own = (adapter / TOKENIZER_CONFIG_FILE).is_file()
    try:
        return load_tokenizer(adapter if own else base, trusted=trusted)
    except (EngineFailure, ImportError):
        return None


def _copy_others(base: Path, adapter: Path, target: Path, head: Head) -> None:
    for name in (CONFIG_FILE, "generation_config.json", "LICENSE"):
        if (base / name).is_file():
            shutil.copyfile(base / name, target / name)
    if runs_code(base):  # nothing is executed here; whoever loads the result needs a consent
        copy_code(base, target)
    if head is Head.SEQUENCE_CLASSIFICATION and (adapter / CONFIG_FILE).is_file():
        # A classifier's configuration, with its labels, stands beside its adapter.
        shutil.copyfile(adapter / CONFIG_FILE, target / CONFIG_FILE)


def _outer_name(files: list[Path], adapter: StoredAdapter) -> str:
    """What stands before the stored names in the model's own: some files leave it out."""
    names: set[str] = set()
    for path in files:
        with safe_open(path, framework="pt") as file:
            names |= {key.removesuffix(".weight") for key in file.keys()}  # noqa: SIM118
    for layer in adapter.factors:
        if layer in names:
            return ""
        first, _, rest = layer.partition(".")
        if rest in names:
            return f"{first}."
    return ""


def _named(layer: str, layers: Collection[str]) -> str | None:
    """The layer among `layers` that a stored name means; some leave out the outer name."""
    if layer in layers:
        return layer
    return next((each for each in layers if each.partition(".")[2] == layer), None)


def _merged(weight: Tensor, factors: Factors, layer: str) -> Tensor:
    rows, columns = reversed(weight.shape) if factors.transposed else weight.shape
    if (rows, columns) != (factors.up.shape[0], factors.down.shape[1]):
        raise MergeError(f"Layer {layer} has another size in the base; it is another model.")
    return factors.merged(weight.float()).to(weight.dtype).contiguous()


def main(arguments: list[str]) -> int:
    """BASE ADAPTER TARGET; returns the exit code."""
    if len(arguments) != 3:
        print("usage: python -m training_engine.export.merge BASE ADAPTER TARGET", file=sys.stderr)  # noqa: T201
        return 2
    base, adapter, target = map(Path, arguments)
    try:
        with torch.no_grad():
            merge(base, adapter, target, target.name)
    except (MergeError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
