"""Layers with a low-rank addition, one class for each kind; the plain one is `LoraLinear` itself.

All keep the frozen layer in `base_layer` and learn `lora_a` [r, in] and `lora_b` [out, r]; both
contribute nothing at first. A quantised base has no `weight` to read, so whoever computes layers
by hand takes exact `LoraLinear` only.
"""

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from training_engine.models.kernels import lora_linear
from training_engine.models.quantised import (
    QuantisedLinear,
    quantised_linear,
    quantised_lora_linear,
)

Base: TypeAlias = nn.Linear | QuantisedLinear


class LoraLinear(nn.Module):
    """LoRA (https://arxiv.org/abs/2106.09685): W x + scale · B A x; B is zero at first."""

    def __init__(
        self,
        base: Base,
        rank: int,
        scale: float,
        dropout: float,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.base_layer = base
        self.scale = scale
        self.dropout = dropout
        self.enabled = True
        options = placement_of(base)
        self.lora_a = nn.Parameter(torch.empty(rank, base.in_features, **options))
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank, **options))
        self._start(generator)

    def _start(self, generator: torch.Generator | None) -> None:
        """A as PEFT begins it, in float32 so that every type begins with the same numbers."""
        start = torch.empty(self.lora_a.shape)
        nn.init.kaiming_uniform_(start, a=math.sqrt(5), generator=generator)
        with torch.no_grad():
            self.lora_a.copy_(start)

    @property
    def weight(self) -> Tensor | None:
        """The frozen matrix, for model code that asks for its type; None when it is packed."""
        return self.base_layer.weight

    @property
    def factors(self) -> tuple[Tensor, Tensor]:
        """A and B of the product that is added now."""
        return self.lora_a, self.lora_b

    def stored_factors(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """A and B as a file holds them, given the present values of `lora_a` and `lora_b`."""
        return a, b

    def forward(self, x: Tensor) -> Tensor:
        """[…, in] → […, out]."""
        if not self.enabled:
            out: Tensor = self.base_layer(x)
            return out
        if self.dropout and self.training:
            dropped = nn.functional.dropout(x, self.dropout)
            return self._with_dropout(x, dropped)
        return self._without_dropout(x)

    def _without_dropout(self, x: Tensor) -> Tensor:
        return adapted(self.base_layer, x, *self.factors, self.scale)

    def _with_dropout(self, x: Tensor, dropped: Tensor) -> Tensor:
        base, added = self.base_layer, self._addition(dropped)
        if isinstance(base, QuantisedLinear):
            out: Tensor = base(x) + added
            return out
        flat = (each.reshape(-1, each.shape[-1]) for each in (added, x))
        whole = torch.addmm(*flat, base.weight.t()).view(added.shape)  # see `kernels.onto`
        return whole if base.bias is None else whole + base.bias

    def _addition(self, x: Tensor) -> Tensor:
        """scale · B A x."""
        a, b = self.factors
        return self.scale * nn.functional.linear(nn.functional.linear(x, a), b)


class QuantisedLoraLinear(LoraLinear):
    """LoRA over a base in four or eight bits; apart from `LoraLinear` so that types tell."""


class PissaLinear(LoraLinear):
    """PiSSA (https://arxiv.org/abs/2404.02948): A and B begin with W's main directions.

    W stays whole and A, B are kept as their first values plus what was learnt since (`lora_a` and
    `lora_b`, zero at first): W x + s · ((B₀ + b)(A₀ + a) − B₀ A₀) x. Gradients and, without weight
    decay, updates are PiSSA's; no rounding of W, and the model begins exactly as its base. Weight
    decay pulls towards the first values. What is added equals b (A₀ + a) + B₀ a: an ordinary
    adapter of twice the rank, on the unchanged base.
    """

    def __init__(
        self,
        base: Base,
        rank: int,
        scale: float,
        dropout: float,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__(base, rank, scale, dropout, generator)
        a, b = principal_factors(frozen_weight(base).float(), rank, scale, generator)
        # Persistent, and part of checkpoints: the directions' signs are a library's whim.
        self.register_buffer("start_a", a.to(self.lora_a))
        self.register_buffer("start_b", b.to(self.lora_b))

    def _start(self, generator: torch.Generator | None) -> None:
        with torch.no_grad():
            self.lora_a.zero_()

    @property
    def factors(self) -> tuple[Tensor, Tensor]:
        """As a rank-2r product, whose parts all vanish with what was learnt."""
        return self.stored_factors(self.lora_a, self.lora_b)

    def stored_factors(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """A [2r, in] and B [out, 2r], in the type of `a`."""
        start_a, start_b = self.start_a.to(a), self.start_b.to(b)
        return torch.cat([start_a + a, a]), torch.cat([b, start_b], dim=1)


class DoraLinear(LoraLinear):
    """DoRA (https://arxiv.org/abs/2402.09353): length and direction of W's rows learn apart.

    (m / ‖W + s B A‖) · (W + s B A) x with m the learnt lengths, in float32; as in the paper's
    section 4.3 (and PEFT) the norm is a constant for the gradient.
    """

    def __init__(
        self,
        base: Base,
        rank: int,
        scale: float,
        dropout: float,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__(base, rank, scale, dropout, generator)
        squares = frozen_weight(base).float().square().sum(dim=1)
        self.register_buffer("squares", squares, persistent=False)
        self.magnitude = nn.Parameter(self._norm())

    def _norm(self) -> Tensor:
        """‖W + s B A‖ of every row, float32 [out], without ever making the sum.

        ‖w + s b A‖² = ‖w‖² + 2 s b · (A w) + s² b (A Aᵀ) bᵀ: exact at the start, where b is zero.
        """
        with torch.no_grad():
            a, b = self.lora_a, self.lora_b.float()
            crossing = without_bias(self.base_layer, a).float().t()  # W Aᵀ [out, r]
            wide = a.float()
            own = (b @ (wide @ wide.t())) * b
            added = 2 * self.scale * (crossing * b).sum(dim=1) + self.scale**2 * own.sum(dim=1)
            return (self.squares + added).clamp_min_(0).sqrt_()

    def _stretch(self, like: Tensor) -> Tensor:
        """By how much of itself every row became longer, [out]: small numbers round finely."""
        return (self.magnitude / self._norm() - 1).to(like.dtype)

    def _without_dropout(self, x: Tensor) -> Tensor:
        whole = adapted(self.base_layer, x, *self.factors, self.scale, bias=False)
        out = torch.addcmul(whole, whole, self._stretch(x))
        return out if self.base_layer.bias is None else out + self.base_layer.bias

    def _with_dropout(self, x: Tensor, dropped: Tensor) -> Tensor:
        """As PEFT drops: from what is added to the frozen layer's own answer."""
        stretch, added = self._stretch(x), self._addition(dropped)
        frozen = without_bias(self.base_layer, dropped)
        out: Tensor = self.base_layer(x) + stretch * frozen + torch.addcmul(added, added, stretch)
        return out


def placement_of(base: Base) -> dict[str, Any]:
    """Number type and device for what is added to a layer."""
    if isinstance(base, QuantisedLinear):
        return {"dtype": base.dtype, "device": base.packed.device}
    return {"dtype": base.weight.dtype, "device": base.weight.device}


def frozen_weight(base: Base) -> Tensor:
    """The matrix of a layer, unpacked where it is packed."""
    return base.unpacked(torch.float32) if isinstance(base, QuantisedLinear) else base.weight


def adapted(
    base: Base, x: Tensor, a: Tensor, b: Tensor, scale: float, *, bias: bool = True
) -> Tensor:
    """W x + scale · B A x, and the bias, in one function that keeps little for the gradient."""
    added = base.bias if bias else None
    if isinstance(base, QuantisedLinear):
        return quantised_lora_linear(x, base, added, a, b, scale)
    return lora_linear(x, base.weight, added, a, b, scale)


def without_bias(base: Base, x: Tensor) -> Tensor:
    """W x alone."""
    if isinstance(base, QuantisedLinear):
        return quantised_linear(x, base, None)
    return nn.functional.linear(x, base.weight)


def principal_factors(
    weight: Tensor, rank: int, scale: float, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """A [r, in] and B [out, r] with scale · B A = W's best approximation of that rank, float32.

    Small matrices by an exact decomposition, large ones by a randomised one with power iterations
    (https://arxiv.org/abs/0909.4061), whose directions are drawn from `generator`. A rank beyond
    the matrix's own is filled up with zeros in B and A.
    """
    width = min(rank, *weight.shape)
    probe = min(width + 16, *weight.shape)
    if 4 * probe >= min(weight.shape):
        u, s, vh = torch.linalg.svd(weight, full_matrices=False)
    else:
        drawn = torch.randn(weight.shape[1], probe, generator=generator).to(weight)
        basis = torch.linalg.qr(weight @ drawn)[0]
        for _ in range(8):
            basis = torch.linalg.qr(weight.t() @ basis)[0]
            basis = torch.linalg.qr(weight @ basis)[0]
        inner, s, vh = torch.linalg.svd(basis.t() @ weight, full_matrices=False)
        u = basis @ inner
    root = (s[:width] / scale).sqrt()
    a, b = root[:, None] * vh[:width], u[:, :width] * root
    if width < rank:
        a = nn.functional.pad(a, (0, 0, 0, rank - width))
        b = nn.functional.pad(b, (0, rank - width))
    return a.contiguous(), b.contiguous()


def lora_layers(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """Every layer with an adapter and its name."""
    for name, module in model.named_modules():
        if isinstance(module, LoraLinear):
            yield name, module


def enable(model: nn.Module, enabled: bool) -> None:
    """Switch all adapters on or off: off is the base model."""
    for _, layer in lora_layers(model):
        layer.enabled = enabled
