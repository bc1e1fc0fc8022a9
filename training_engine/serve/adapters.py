"""LoRA adapters that are switched per request, so that one base model serves every tuned one.

The arithmetic is stock PEFT's, to the bit: adapter weights in fp32 even beside a bf16 base, the
sum taken in fp32 and rounded once.
"""

from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from training_engine.export.adapter_folder import Factors, NotPlainLora, read_factors
from training_engine.serve.failures import ServeError
from training_engine.serve.folders import check_adapter_folder


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
    check_adapter_folder(folder)
    try:
        factors = read_factors(folder)
    except NotPlainLora as error:
        raise _unsupported(folder.name, str(error)) from error
    except (OSError, ValueError, KeyError) as error:
        raise _mismatch(folder.name, str(error)) from error
    for layer, found in factors.items():
        _check_fit(model, layer, found, folder.name)
    device = next(model.parameters()).device
    size = 0
    for layer, found in factors.items():
        down, up = found.down.to(device), found.up.to(device)
        _switched(model, switch, layer).add(name, down, up, found.scale)
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


def _check_fit(model: nn.Module, layer: str, factors: Factors, name: str) -> None:
    try:
        found = model.get_submodule(layer)
    except AttributeError:
        raise _mismatch(name, f"the base model has no layer {layer}") from None
    base = found.base if isinstance(found, SwitchedLinear) else found
    weight = getattr(base, "weight", None)
    # GPT-2 keeps its matrices the other way round.
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
