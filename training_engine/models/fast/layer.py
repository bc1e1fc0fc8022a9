"""One decoder layer as one autograd function: what is kept, and the gradient, by hand.

    x₁ = x + O · attention(rotate(Q, K · norm(x)), V · norm(x))
    x₂ = x₁ + D · (silu(G · norm(x₁)) ⊙ U · norm(x₁))

Frozen weights get no gradient, the first layer's input neither. Sums with the residual stream
happen inside the matrix products.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from training_engine.models.fast import attention
from training_engine.models.fast.attention import Block
from training_engine.models.fast.linear import FusedLinear
from training_engine.models.fast.normalization import FastRmsNorm
from training_engine.models.fast.rotary import rotate


@dataclass(frozen=True)
class Row:
    """What all layers share in one pass.

    `for_query` and `for_key`: cosine and sine [n, 1, d], for queries times the scale of the scores;
    `adapted`: adapters take part.
    """

    for_query: tuple[Tensor, Tensor]
    for_key: tuple[Tensor, Tensor]
    scale: float
    blocks: tuple[Block, ...]
    adapted: bool


@dataclass
class _Heads:
    """Queries [key heads, n, groups, d], keys and values [key heads, n, d]; what norms need."""

    query: Tensor
    key: Tensor
    value: Tensor
    raw: Tensor | None = None
    squares: tuple[Tensor, Tensor] | None = None


@dataclass
class _Kept:
    """What the backward pass needs of the forward pass."""

    x: Tensor
    squares: Tensor
    normed: Tensor
    heads: _Heads
    weights: list[Tensor | None]
    attended: Tensor
    middle: Tensor
    middle_squares: Tensor
    middle_normed: Tensor
    gate_up: Tensor
    active: Tensor
    inner: Tensor


class FastLayer:
    """The kernels of one stock decoder layer (Llama's names of modules)."""

    def __init__(self, layer: Any) -> None:
        attend, mlp = layer.self_attn, layer.mlp
        self.qkv = FusedLinear([attend.q_proj, attend.k_proj, attend.v_proj])
        self.o = FusedLinear([attend.o_proj])
        self.gate_up = FusedLinear([mlp.gate_proj, mlp.up_proj])
        self.down = FusedLinear([mlp.down_proj])
        self._norm = FastRmsNorm(layer.input_layernorm)
        self._middle_norm = FastRmsNorm(layer.post_attention_layernorm)
        norms: tuple[nn.Module | None, ...] = tuple(
            getattr(attend, name, None) for name in ("q_norm", "k_norm")
        )
        self._head_norms = tuple(FastRmsNorm(each) for each in norms if each is not None)
        self._size = attend.head_dim
        self._groups = attend.num_key_value_groups
        self._heads = attend.config.num_attention_heads
        self._rotated = bool(getattr(attend, "use_rope", True))

    @property
    def _all(self) -> tuple[FusedLinear, ...]:
        return self.qkv, self.o, self.gate_up, self.down

    @property
    def parameters(self) -> list[Tensor]:
        """What learns, in the order of `backward`'s gradients."""
        return [p for each in self._all for p in each.parameters]

    def run(self, x: Tensor, row: Row) -> Tensor:
        """The layer's output for [1, n, K]."""
        if row.adapted:
            for each in self._all:
                each.refresh()
        if not torch.is_grad_enabled():
            return self.forward(x[0], row)[0][None]
        out: Tensor = _LayerFunction.apply(x, self, row, *self.parameters)
        return out

    def forward(self, x: Tensor, row: Row) -> tuple[Tensor, _Kept]:
        """Output [n, K] for [n, K], and what is to be kept for `backward`."""
        normed = self.qkv.input(x)
        squares = self._norm.forward(x, normed[:, : x.shape[1]])
        heads = self._split(self.qkv.forward(normed, row.adapted), row)
        attended = self.o.input(x)
        weights = attention.forward(
            heads.query, heads.key, heads.value, row.blocks, self._by_head(attended)
        )
        middle = self.o.forward(attended, row.adapted, add_to=x)
        middle_normed = self.gate_up.input(x)
        middle_squares = self._middle_norm.forward(middle, middle_normed[:, : x.shape[1]])
        gate_up = self.gate_up.forward(middle_normed, row.adapted)
        gate, up = gate_up.chunk(2, dim=1)
        active = nn.functional.silu(gate)
        inner = self.down.input(x)
        torch.mul(active, up, out=inner[:, : self.down.inputs])
        out = self.down.forward(inner, row.adapted, add_to=middle)
        return out, _Kept(
            x, squares, normed, heads, weights, attended,
            middle, middle_squares, middle_normed, gate_up, active, inner,
        )  # fmt: skip

    def backward(
        self, d_out: Tensor, kept: _Kept, row: Row, wanted: bool
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        """Gradients of the input [n, K], if `wanted`, and of `parameters`."""
        d_inner, of_down = self.down.backward(kept.inner, d_out, row.adapted)
        d_gate_up = self._swiglu_backward(d_inner, kept)
        d_normed, of_gate_up = self.gate_up.backward(kept.middle_normed, d_gate_up, row.adapted)
        d_middle = self._middle_norm.backward(d_normed, kept.middle, kept.middle_squares)
        d_middle.add_(d_out)
        d_attended, of_o = self.o.backward(kept.attended, d_middle, row.adapted)
        d_qkv = self._attention_backward(d_attended, kept, row)
        d_normed, of_qkv = self.qkv.backward(kept.normed, d_qkv, row.adapted, wanted)
        d_x = None
        if d_normed is not None:
            d_x = self._norm.backward(d_normed, kept.x, kept.squares).add_(d_middle)
        return d_x, [*of_qkv, *of_o, *of_gate_up, *of_down]

    def _by_head(self, states: Tensor) -> Tensor:
        """A view [key heads, n, groups, d] of [n, heads · d, …]."""
        flat = states[:, : self._heads * self._size]
        return flat.unflatten(1, (-1, self._groups, self._size)).permute(1, 0, 2, 3)

    def _split(self, qkv: Tensor, row: Row) -> _Heads:
        """Queries, keys and values by head, turned by their positions."""
        count, heads, shared = len(qkv), self._heads, self._heads // self._groups
        found = _Heads(
            qkv.new_empty(shared, count, self._groups, self._size),
            qkv.new_empty(shared, count, self._size),
            qkv.new_empty(shared, count, self._size),
        )
        states = qkv.view(count, -1, self._size)
        query, key, value = states.split((heads, shared, shared), dim=1)
        found.value.copy_(value.transpose(0, 1))
        if self._head_norms:
            found.raw = qkv
            query, key = self._norm_heads(query, key, found)
        query = query.unflatten(1, (shared, self._groups))
        self._turn(query, key, found.query.permute(1, 0, 2, 3), found.key.transpose(0, 1), row)
        return found

    def _turn(
        self,
        query: Tensor,
        key: Tensor,
        to_query: Tensor,
        to_key: Tensor,
        row: Row,
        back: bool = False,
    ) -> None:
        """Scale queries [n, key heads, groups, d]; rotate them and keys [n, key heads, d]."""
        if self._rotated:
            cos, sin = (part[:, :, None] for part in row.for_query)
            rotate(query, cos, sin, to_query, back=back)
            rotate(key, *row.for_key, to_key, back=back)
        else:
            torch.mul(query, row.scale, out=to_query)
            to_key.copy_(key)

    def _norm_heads(self, query: Tensor, key: Tensor, found: _Heads) -> tuple[Tensor, Tensor]:
        normed, squares = [], []
        for part, norm in zip((query, key), self._head_norms, strict=True):
            flat = part.reshape(-1, self._size)
            normed.append(torch.empty_like(flat))
            squares.append(norm.forward(flat, normed[-1]))
            normed[-1] = normed[-1].view(part.shape)
        found.squares = (squares[0], squares[1])
        return normed[0], normed[1]

    def _attention_backward(self, d_attended: Tensor | None, kept: _Kept, row: Row) -> Tensor:
        """Gradient of what `_split` got [n, N]."""
        assert d_attended is not None
        heads = kept.heads
        shared, count, _, size = heads.query.shape
        d_query, d_key, d_value = attention.backward(
            self._by_head(d_attended).contiguous(),
            heads.query, heads.key, heads.value, kept.weights, row.blocks,
        )  # fmt: skip
        d_qkv = d_query.new_empty(count, self._heads + 2 * shared, size)
        query, key, value = d_qkv.split((self._heads, shared, shared), dim=1)
        value.copy_(d_value.transpose(0, 1))
        query = query.unflatten(1, (shared, self._groups))
        self._turn(d_query.permute(1, 0, 2, 3), d_key.transpose(0, 1), query, key, row, back=True)
        if self._head_norms:
            self._norm_heads_backward(d_qkv, heads)
        return d_qkv.view(count, -1)

    def _norm_heads_backward(self, d_qkv: Tensor, heads: _Heads) -> None:
        assert heads.raw is not None
        assert heads.squares is not None
        raw = heads.raw.view(d_qkv.shape)
        sizes = (self._heads, self._heads // self._groups)
        start = 0
        for norm, squares, count in zip(self._head_norms, heads.squares, sizes, strict=True):
            part, before = (t[:, start : start + count] for t in (d_qkv, raw))
            d_out, x = (t.reshape(-1, self._size) for t in (part, before))
            part.copy_(norm.backward(d_out, x, squares).view(part.shape))
            start += count

    def _swiglu_backward(self, d_inner: Tensor | None, kept: _Kept) -> Tensor:
        """Gradient of gate and up side by side, [n, 2 · inner]."""
        assert d_inner is not None
        gate, up = kept.gate_up.chunk(2, dim=1)
        d_gate_up = torch.empty_like(kept.gate_up)
        d_gate, d_up = d_gate_up.chunk(2, dim=1)
        torch.mul(d_inner, kept.active, out=d_up)
        d_inner.mul_(up)
        torch.ops.aten.silu_backward.grad_input(d_inner, gate, grad_input=d_gate)
        return d_gate_up


class _LayerFunction(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: FastLayer, row: Row, *parameters: Tensor) -> Tensor:
        out, ctx.kept = layer.forward(x[0], row)
        ctx.layer, ctx.row = layer, row
        return out[None]

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, ...]:
        kept, ctx.kept = ctx.kept, None
        d_x, found = ctx.layer.backward(d_out[0], kept, ctx.row, ctx.needs_input_grad[0])
        return (None if d_x is None else d_x[None], None, None, *found)
