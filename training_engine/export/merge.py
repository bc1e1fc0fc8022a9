"""Fold a LoRA adapter into its base: one plain model folder that needs no PEFT.

W' = W + s·B·A, summed in fp32 and rounded once, shard by shard, so that a large model never stands
in memory twice. `python -m training_engine.export.merge BASE ADAPTER TARGET` does it by hand.
"""

import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from training_engine import checkpoints
from training_engine.export.adapter_folder import Factors, NotPlainLora, read_factors
from training_engine.output import TOKENIZER_FILES

_INDEX = "model.safetensors.index.json"


class MergeError(Exception):
    """The adapter can not be folded into this base; the text says why."""


def merge(base: Path, adapter: Path, target: Path, name: str) -> int:
    """Write base plus adapter to `target`, atomically; returns the bytes of all files.

    `name` is what the manifest calls the result. Raises `MergeError` or `OSError`.
    """
    temporary = target.with_name(f".{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        _write(base, adapter, temporary)
        checkpoints.write_manifest(temporary, {"name": name})
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    checkpoints.sync(target.parent)
    return sum(path.stat().st_size for path in target.iterdir())


def _write(base: Path, adapter: Path, target: Path) -> None:
    try:
        factors = read_factors(adapter)
    except (NotPlainLora, ValueError) as error:
        raise MergeError(f"The adapter {adapter.name} can not be merged: {error}.") from error
    left = set(factors)
    for shard in sorted(base.glob("*.safetensors")):
        tensors: dict[str, Tensor] = {}
        with safe_open(shard, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                weight = file.get_tensor(key)
                layer = _layer_of(key, factors)
                if layer is not None:
                    left.discard(layer)
                    weight = _merged(weight, factors[layer], layer)
                tensors[key] = weight
        save_file(tensors, target / shard.name, metadata={"format": "pt"})
    if left:
        raise MergeError(f"The base model has no layer {sorted(left)[0]}; it is another model.")
    for name in ("config.json", "generation_config.json", _INDEX, "LICENSE"):
        if (base / name).is_file():
            shutil.copyfile(base / name, target / name)
    # The adapter's tokenizer and template are the ones it was trained with.
    for name in TOKENIZER_FILES:
        source = next((f / name for f in (adapter, base) if (f / name).is_file()), None)
        if source is not None:
            shutil.copyfile(source, target / name)


def _layer_of(key: str, layers: Collection[str]) -> str | None:
    """The adapted layer that a stored weight belongs to; some files leave out the outer name."""
    if not key.endswith(".weight"):
        return None
    stored = key.removesuffix(".weight")
    if stored in layers:
        return stored
    return next((layer for layer in layers if layer.partition(".")[2] == stored), None)


def _merged(weight: Tensor, factors: Factors, layer: str) -> Tensor:
    change = (factors.up @ factors.down) * factors.scale
    if factors.transposed:
        change = change.T
    if change.shape != weight.shape:
        raise MergeError(f"Layer {layer} has another size in the base; it is another model.")
    return (weight.float() + change).to(weight.dtype).contiguous()


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
