"""Frozen weights in four or eight bits (QLoRA, https://arxiv.org/abs/2305.14314).

The numbers are those of bitsandbytes, so that stock transformers quantises the same base to the
same weights. The layer is our own: it holds nothing but the packed numbers, and unpacks them for
one product at a time, forward and backward, into the type it computes in.
"""

import importlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from training_engine.contract.choices import Quantization
from training_engine.contract.names import FailureCode
from training_engine.failures import EngineFailure
from training_engine.models.kernels import onto

QUANTIZATION_FILE = "quantization_config.json"
_BLOCK = 64  # weights that share a scale, as in the paper
# Arguments of transformers' BitsAndBytesConfig that quantise a base as we do.
STOCK_SETTINGS: dict[Quantization, dict[str, Any]] = {
    Quantization.NF4: {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
    },
    Quantization.INT8: {"load_in_8bit": True},
}


def bitsandbytes_module(name: str) -> Any:
    """A module of bitsandbytes, imported when a run needs it; raises `EngineFailure`."""
    # It would advise at import to download a kernel.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EngineFailure(
            FailureCode.DEPENDENCY,
            f"The library bitsandbytes, which stores numbers in eight or four bits, can not be "
            f"used here: {error}.",
            "Install it with: pip install bitsandbytes; or choose the method lora and the "
            "optimizer adamw.",
        ) from error


class QuantisedLinear(nn.Module):
    """A linear layer whose matrix is stored in four or eight bits and never changes."""

    # Model code that asks for a weight's type must not take packed bytes for numbers.
    weight = None

    def __init__(self, layer: nn.Linear, kind: Quantization, device: torch.device) -> None:
        super().__init__()
        self.kind = kind
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.dtype = layer.weight.dtype
        self.bias = None
        if layer.bias is not None:
            self.bias = nn.Parameter(layer.bias.detach().to(device), requires_grad=False)
        self._functions = bitsandbytes_module("bitsandbytes.functional")
        weight = layer.weight.detach().to(device)
        self._state: Any = None
        if kind is Quantization.NF4:
            packed, self._state = self._functions.quantize_4bit(
                weight, blocksize=_BLOCK, compress_statistics=True, quant_type="nf4"
            )
            scales = torch.empty(0, device=device)  # they are in the state
        else:
            # By way of float16, as bitsandbytes does it: the same integers.
            packed, scales, _ = self._functions.int8_vectorwise_quant(weight.to(torch.float16))
        self.register_buffer("packed", packed, persistent=False)
        self.register_buffer("scales", scales, persistent=False)

    @property
    def nbytes(self) -> int:
        """Bytes of the matrix as it is stored, scales included."""
        stored = int(self.packed.nbytes + self.scales.nbytes)
        if self._state is not None:
            stored += int(self._state.absmax.nbytes + self._state.state2.absmax.nbytes)
        return stored

    def unpacked(self, dtype: torch.dtype) -> Tensor:
        """The matrix [out, in] in `dtype`; made anew at every call."""
        if self._state is None:
            wide = self.packed.to(torch.float32)
            return wide.mul_((self.scales / 127.0)[:, None]).to(dtype)
        self._state.dtype = dtype
        weight: Tensor = self._functions.dequantize_4bit(self.packed, self._state)
        return weight

    def forward(self, x: Tensor) -> Tensor:
        """[…, in] → […, out]."""
        return quantised_linear(x, self, self.bias)


class _QuantisedProduct(Function):
    """x Wᵀ + bias, and with an adapter + scale · (x Aᵀ) Bᵀ; W is unpacked twice, kept never."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        base: QuantisedLinear,
        bias: Tensor | None,
        a: Tensor | None,
        b: Tensor | None,
        scale: float,
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        weight = base.unpacked(x.dtype)
        if a is None or b is None:
            out = nn.functional.linear(flat, weight, bias)
            ctx.save_for_backward()
        else:
            low = flat @ a.t()
            out = onto((low * scale) @ b.t(), flat, weight, bias)
            ctx.save_for_backward(flat, low, a, b)
        ctx.base, ctx.scale, ctx.shape = base, scale, x.shape
        return out.view(*x.shape[:-1], base.out_features)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, ...]:
        d_flat = d_out.reshape(-1, d_out.shape[-1])
        d_a = d_b = d_low = a = d_x = None
        if saved := ctx.saved_tensors:  # to be asked for once: checkpointing computes them anew
            flat, low, a, b = saved
            d_low = (d_flat @ b).mul_(ctx.scale)
            d_b = (d_flat.t() @ low).mul_(ctx.scale)
            d_a = d_low.t() @ flat
        if ctx.needs_input_grad[0]:
            weight = ctx.base.unpacked(d_flat.dtype)
            if d_low is None or a is None:
                d_x = d_flat @ weight
            else:
                d_x = onto(d_low @ a, d_flat, weight.t())
            d_x = d_x.view(ctx.shape)
        return d_x, None, None, d_a, d_b, None


def quantised_linear(x: Tensor, base: QuantisedLinear, bias: Tensor | None) -> Tensor:
    """x Wᵀ + bias with W unpacked for the product."""
    out: Tensor = _QuantisedProduct.apply(x, base, bias, None, None, 1.0)
    return out


def quantised_lora_linear(
    x: Tensor, base: QuantisedLinear, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
) -> Tensor:
    """What `kernels.lora_linear` is, over a quantised base: A [r, in], B [out, r] learn."""
    out: Tensor = _QuantisedProduct.apply(x, base, bias, a, b, scale)
    return out


def quantise(
    model: nn.Module, kind: Quantization, device: torch.device, keep: set[str]
) -> nn.Module:
    """Replace every linear layer but those in `keep` (names, with all below) by a packed one.

    Layer by layer, each on its way to `device`: the device never holds more than one layer in full.
    Raises `EngineFailure` where bitsandbytes can not be used.
    """
    for name, layer in list(_linear(model)):
        if any(name == kept or name.startswith(f"{kept}.") for kept in keep):
            continue
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, QuantisedLinear(layer, kind, device))
    if device.type == "cpu":
        # What stays in full is a view of the mapped file; as a copy it lets the whole file go.
        for parameter in model.parameters():
            parameter.data = parameter.data.clone()
    return model


def packed_and_back(weight: Tensor, kind: Quantization) -> Tensor:
    """A matrix [out, in] as a packed base computes with it, in its own type."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    layer.weight = nn.Parameter(weight, requires_grad=False)
    return QuantisedLinear(layer, kind, weight.device).unpacked(weight.dtype)


def _linear(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            yield name, module


def weight_bytes(model: nn.Module) -> int:
    """Bytes of all weights as they are stored, packed ones included; shared ones once."""
    packed = sum(m.nbytes for m in model.modules() if isinstance(m, QuantisedLinear))
    return packed + int(sum(p.nbytes for p in model.parameters()))


def write_quantization(folder: Path, kind: Quantization) -> None:
    """Say beside an adapter how its base was stored: arguments for stock BitsAndBytesConfig."""
    (folder / QUANTIZATION_FILE).write_text(json.dumps(STOCK_SETTINGS[kind], indent=2))


def read_quantization(folder: Path) -> Quantization | None:
    """How the base of an adapter was stored when it was trained; None means in full."""
    path = folder / QUANTIZATION_FILE
    if not path.is_file():
        return None
    found = json.loads(path.read_text("utf-8"))
    for kind, settings in STOCK_SETTINGS.items():
        if found == settings:
            return kind
    raise ValueError(f"{QUANTIZATION_FILE} names a quantisation that is not known here")
