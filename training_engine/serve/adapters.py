"""LoRA adapters that are switched per request, so that one base model serves every tuned one.

The arithmetic is stock PEFT's, to the bit: adapter weights in fp32 even beside a bf16 base, the
sum taken in fp32 and rounded once. LoRA: Hu et al. 2021, arXiv:2106.09685; the scale with the root
of the rank: Kalajdzievski 2023, arXiv:2312.03732.
"""

import math
import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from training_engine.serve.failures import ServeError
from training_engine.serve.folders import check_adapter_folder

_PREFIX = "base_model.model."
_FACTOR = re.compile(r"(.+)\.lora_(A|B)\.weight")


class Switch:
    """Which adapter is in force now; read by every switched layer at each call."""

    def __init__(self) -> None:
        self.active: str | None = None


class SwitchedLinear(nn.Module):
    """A layer of the base model, plus the two small matrices of the active adapter, if any."""

    def __init__(self, base: nn.Module, switch: Switch) -> None:
        super().__init__()
        self.base = base
        self._switch = switch
        self._factors: dict[str, tuple[Tensor, Tensor, float]] = {}

    def add(self, name: str, down: Tensor, up: Tensor, scale: float) -> None:
        """`down` (r, in) and `up` (out, r) belong to adapter `name`."""
        self._factors[name] = (down, up, scale)

    def drop(self, name: str) -> None:
        """Forget adapter `name`."""
        self._factors.pop(name, None)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        result: Tensor = self.base(x)
        factors = self._factors.get(self._switch.active) if self._switch.active else None
        if factors is None:
            return result
        down, up, scale = factors
        low = functional.linear(x.to(down.dtype), down)
        return (result + functional.linear(low, up) * scale).to(result.dtype)


def add_adapter(model: nn.Module, switch: Switch, name: str, folder: Path) -> int:
    """Put the adapter in `folder` beside `model` under `name`; returns its bytes.

    Raises `ServeError` when it is no plain LoRA or was made for another model.
    """
    config = check_adapter_folder(folder)
    _refuse_variants(config, folder.name)
    device = next(model.parameters()).device
    factors: dict[str, dict[str, Tensor]] = {}
    for key, tensor in load_file(folder / "adapter_model.safetensors").items():
        match = _FACTOR.fullmatch(key)
        if match is None or not key.startswith(_PREFIX):
            raise _unsupported(folder.name, f"it holds {key}")
        module = match[1].removeprefix(_PREFIX)
        factors.setdefault(module, {})[match[2]] = tensor.to(device, torch.float32)
    _check_fit(model, factors, folder.name)
    size = 0
    for module, pair in factors.items():
        down, up = pair["A"], pair["B"]
        _switched(model, switch, module).add(name, down, up, _scale(config, module, len(down)))
        size += down.nbytes + up.nbytes
    return size


def drop_adapter(model: nn.Module, name: str) -> None:
    """Remove the adapter `name` from every layer."""
    for module in model.modules():
        if isinstance(module, SwitchedLinear):
            module.drop(name)


def _switched(model: nn.Module, switch: Switch, module: str) -> SwitchedLinear:
    found = model.get_submodule(module)
    if isinstance(found, SwitchedLinear):
        return found
    parent, _, leaf = module.rpartition(".")
    switched = SwitchedLinear(found, switch)
    setattr(model.get_submodule(parent), leaf, switched)
    return switched


def _scale(config: dict[str, Any], module: str, rank: int) -> float:
    patterns: dict[str, float] = config.get("alpha_pattern") or {}
    matching = (a for p, a in patterns.items() if re.match(rf"(.*\.)?({p})$", module))
    alpha = float(next(matching, config["lora_alpha"]))
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank


def _refuse_variants(config: dict[str, Any], name: str) -> None:
    if config.get("peft_type") != "LORA":
        raise _unsupported(name, f"its type is {config.get('peft_type')}")
    if config.get("use_dora"):
        raise _unsupported(name, "it uses DoRA")
    if config.get("bias", "none") != "none" or config.get("lora_bias"):
        raise _unsupported(name, "it changes biases")
    if config.get("modules_to_save"):
        raise _unsupported(name, "it replaces whole layers")


def _check_fit(model: nn.Module, factors: dict[str, dict[str, Tensor]], name: str) -> None:
    """Every pair must be whole and have the sizes of the layer it belongs to."""
    for module, pair in factors.items():
        try:
            found = model.get_submodule(module)
        except AttributeError:
            raise _mismatch(name, f"the base model has no layer {module}") from None
        base = found.base if isinstance(found, SwitchedLinear) else found
        weight = getattr(base, "weight", None)
        sizes = {tuple(weight.shape), tuple(weight.shape)[::-1]} if weight is not None else set()
        if pair.keys() != {"A", "B"} or (pair["B"].shape[0], pair["A"].shape[1]) not in sizes:
            raise _mismatch(name, f"layer {module} has another size")


def _unsupported(name: str, why: str) -> ServeError:
    return ServeError(
        "adapter_not_supported",
        f"The adapter {name} can not be switched on beside its base model: {why}.",
        "Merge it into the base model and serve the merged model.",
    )


def _mismatch(name: str, why: str) -> ServeError:
    return ServeError(
        "adapter_mismatch",
        f"The adapter {name} was not made for this base model: {why}.",
        "Choose the base model that it was trained from.",
    )
