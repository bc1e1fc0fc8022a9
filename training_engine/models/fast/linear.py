"""Frozen linear layers that share an input, with their adapters, as one matrix.

    y = [x | x (scale A)ᵀ] · [W | B]ᵀ

The narrow product x Aᵀ stands beside x, B beside W: one matrix product gives what a product and
two additions gave, with one rounding. The layers keep owning their weights: what they hold becomes
a view of the matrix here, so no weight is stored twice.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training_engine.models.lora import LoraLinear

# Matrix units of processors take 32 bfloat16 numbers at a time.
ALIGNED = 32


@dataclass(frozen=True)
class _Adapter:
    """Where one layer's adapter lies: its rank in the narrow columns, its outputs in the rows."""

    layer: LoraLinear
    ranks: slice
    rows: slice


class FusedLinear:
    """Layers [N₁, K], [N₂, K] … over one input as one matrix [N₁ + N₂ + …, K + ranks]."""

    def __init__(self, layers: list[nn.Linear | LoraLinear]) -> None:
        bases: list[Any] = [getattr(each, "base_layer", each) for each in layers]
        first = bases[0].weight
        self.inputs = first.shape[1]
        self.adapters: list[_Adapter] = []
        rank = row = 0
        for layer, base in zip(layers, bases, strict=True):
            rows = slice(row, row + base.out_features)
            if isinstance(layer, LoraLinear):
                ranks = slice(rank, rank + layer.lora_a.shape[0])
                self.adapters.append(_Adapter(layer, ranks, rows))
                rank = ranks.stop
            row = rows.stop
        self._rank, padded = rank, -(-rank // ALIGNED) * ALIGNED
        self.width = self.inputs + padded
        self._matrix = first.new_zeros(row, self.width)
        self._down = first.new_zeros(padded, self.inputs)
        self._bias = first.new_zeros(row) if any(b.bias is not None for b in bases) else None
        self._adopt(bases)

    def _adopt(self, bases: list[Any]) -> None:
        """Let the layers hold views of the matrix."""
        row = 0
        for base in bases:
            rows = slice(row, row + base.out_features)
            self._matrix[rows, : self.inputs].copy_(base.weight.data)
            base.weight.data = self._matrix[rows, : self.inputs]
            if base.bias is not None and self._bias is not None:
                self._bias[rows].copy_(base.bias.data)
                base.bias.data = self._bias[rows]
            row = rows.stop

    @property
    def parameters(self) -> list[Tensor]:
        """A and B of every adapter, in the order of `backward`'s gradients."""
        return [p for each in self.adapters for p in (each.layer.lora_a, each.layer.lora_b)]

    def refresh(self) -> None:
        """Take the adapters' present values; they change with every step."""
        for each in self.adapters:
            torch.mul(each.layer.lora_a.data, each.layer.scale, out=self._down[each.ranks])
            columns = slice(self.inputs + each.ranks.start, self.inputs + each.ranks.stop)
            self._matrix[each.rows, columns].copy_(each.layer.lora_b.data)

    def input(self, like: Tensor) -> Tensor:
        """Room for an input and its narrow product: [n, K + ranks] for the n rows of `like`."""
        return like.new_empty(like.shape[0], self.width)

    def forward(self, x: Tensor, adapted: bool, add_to: Tensor | None = None) -> Tensor:
        """Outputs [n, N] of `x`, an `input` whose first K columns are filled; plus `add_to`."""
        narrow = x[:, : self.inputs]
        if not adapted or not self.adapters:
            return self._product(narrow, self._matrix[:, : self.inputs], add_to)
        torch.mm(narrow, self._down.t(), out=x[:, self.inputs :])
        return self._product(x, self._matrix, add_to)

    def _product(self, x: Tensor, matrix: Tensor, add_to: Tensor | None) -> Tensor:
        if self._bias is None:
            return x @ matrix.t() if add_to is None else torch.addmm(add_to, x, matrix.t())
        out = torch.addmm(self._bias, x, matrix.t())
        return out if add_to is None else out.add_(add_to)

    def backward(
        self, x: Tensor, d_out: Tensor, adapted: bool, wanted: bool = True
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        """Gradients of the input [n, K], if `wanted`, and of `parameters`."""
        if not adapted or not self.adapters:
            silent: list[Tensor | None] = [None] * len(self.parameters)
            return (d_out @ self._matrix[:, : self.inputs] if wanted else None), silent
        if wanted:
            both = d_out @ self._matrix
            d_x, d_narrow = both[:, : self.inputs], both[:, self.inputs :]
            d_x.addmm_(d_narrow, self._down)
        else:
            d_x, d_narrow = None, d_out @ self._matrix[:, self.inputs :]
        narrow = x[:, self.inputs : self.inputs + self._rank]
        d_down = d_narrow[:, : self._rank].t() @ x[:, : self.inputs]
        found: list[Tensor | None] = []
        for each in self.adapters:
            d_b = narrow[:, each.ranks].t() @ d_out[:, each.rows]
            found += [d_down[each.ranks].mul_(each.layer.scale), d_b.t()]
        return d_x, found
