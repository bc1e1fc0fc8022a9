"""LoRA adapters that are switched per request, so that one base model serves every tuned one.

The arithmetic is stock PEFT's, to the bit: adapter weights in fp32 even beside a bf16 base, the
sum taken in fp32 and rounded once.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from training_engine.export.adapter_folder import (
    Factors,
    NotPlainLora,
    StoredAdapter,
    read_adapter,
    read_factors,
)
from training_engine.models.quantised import QuantisedLinear
from training_engine.serve.failures import ServeError
from training_engine.serve.folders import check_adapter_folder

T = TypeVar("T")


class Switch:
    """Which adapter is in force now; read by every switched layer at each call."""

    def __init__(self) -> None:
        self.active: str | None = None


class Active(NamedTuple):
    """One adapter's part of a layer; `stretch` (out,): DoRA's new lengths of rows over the old."""

    down: Tensor
    up: Tensor
    scale: float
    stretch: Tensor | None


class SwitchedLinear(nn.Module):
    """A layer of the base model, plus the two small matrices of the active adapter, if any."""

    def __init__(self, base: nn.Module, switch: Switch) -> None:
        super().__init__()
        self.base = base
        self._switch = switch
        self._adapters: dict[str, Active] = {}

    @property
    def weight(self) -> Tensor | None:
        """The base's, for model code that asks for its type."""
        weight: Tensor | None = self.base.weight
        return weight

    def add(self, name: str, factors: Factors) -> int:
        """Have an adapter's part ready under `name`; returns its bytes."""
        device = device_of(self.base)
        stretch = None
        if factors.magnitude is not None:
            weight = full_weight(self.base)
            stretch = factors.stretch(weight.T if factors.transposed else weight)
        active = Active(factors.down.to(device), factors.up.to(device), factors.scale, stretch)
        self._adapters[name] = active
        held = (active.down, active.up, active.stretch)
        return sum(int(each.nbytes) for each in held if each is not None)

    def drop(self, name: str) -> None:
        """Forget adapter `name`."""
        self._adapters.pop(name, None)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        result: Tensor = self.base(x)
        active = self._adapters.get(self._switch.active) if self._switch.active else None
        if active is None:
            return result
        low = functional.linear(x.to(active.down.dtype), active.down)
        added = functional.linear(low, active.up)
        if active.stretch is None:
            return (result + added * active.scale).to(result.dtype)
        bias = getattr(self.base, "bias", None)
        frozen = result if bias is None else result - bias
        longer = (active.stretch - 1) * frozen + active.stretch * added * active.scale
        return (result + longer).to(result.dtype)


def device_of(layer: nn.Module) -> torch.device:
    """Where a layer computes."""
    where: torch.device = (
        layer.packed if isinstance(layer, QuantisedLinear) else layer.weight
    ).device
    return where


def full_weight(layer: nn.Module) -> Tensor:
    """A layer's matrix as it is stored, fp32."""
    if isinstance(layer, QuantisedLinear):
        return layer.unpacked(layer.dtype).float()
    weight: Tensor = layer.weight.detach().float()
    return weight


def add_adapter(model: nn.Module, switch: Switch, name: str, folder: Path) -> int:
    """Put the adapter in `folder` beside `model` under `name`; returns its bytes.

    Raises `ServeError` when it is more than a LoRA or was made for another model.
    """
    check_adapter_folder(folder)
    factors = _read(read_factors, folder)
    return _add(model, switch, name, factors, folder)


def add_with_head(model: nn.Module, name: str, folder: Path) -> set[str]:
    """Put the adapter in `folder` on `model` for good, with the head that learnt beside it.

    Returns the names of the weights that it replaced. Raises `ServeError` as `add_adapter`.
    """
    check_adapter_folder(folder)
    stored: StoredAdapter = _read(read_adapter, folder)
    switch = Switch()
    switch.active = name
    own = model.state_dict(keep_vars=True)
    for key, value in stored.replaced.items():
        if key not in own or own[key].shape != value.shape:
            raise _mismatch(folder.name, f"the base model has no {key} of this size")
    with torch.no_grad():
        for key, value in stored.replaced.items():
            own[key].copy_(value)
    _add(model, switch, name, stored.factors, folder)
    return set(stored.replaced)


def _read(read: Callable[[Path], T], folder: Path) -> T:
    try:
        return read(folder)
    except NotPlainLora as error:
        raise _unsupported(folder.name, str(error)) from error
    except (OSError, ValueError, KeyError) as error:
        raise _mismatch(folder.name, str(error)) from error


def _add(
    model: nn.Module, switch: Switch, name: str, factors: dict[str, Factors], folder: Path
) -> int:
    for layer, found in factors.items():
        _check_fit(model, layer, found, folder.name)
    with torch.no_grad():
        return sum(_switched(model, switch, n).add(name, found) for n, found in factors.items())


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


def _check_fit(model: nn.Module, layer: str, factors: Factors, name: str) -> None:
    try:
        found = model.get_submodule(layer)
    except AttributeError:
        raise _mismatch(name, f"the base model has no layer {layer}") from None
    base = found.base if isinstance(found, SwitchedLinear) else found
    weight = getattr(base, "weight", None)
    if isinstance(base, QuantisedLinear):
        sizes = {(base.out_features, base.in_features)}
    else:  # GPT-2 keeps its matrices the other way round.
        sizes = {tuple(weight.shape), tuple(weight.shape)[::-1]} if weight is not None else set()
    if (factors.up.shape[0], factors.down.shape[1]) not in sizes:
        raise _mismatch(name, f"layer {layer} has another size")


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
