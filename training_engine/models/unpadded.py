"""Encoders without padding between attention and attention (https://arxiv.org/abs/2210.03052).

A stock encoder reads texts below each other, filled up to the longest. In its layers nothing but
attention looks at more than one token: they get the real tokens in one row, and attention alone
sees each text in its place, filled up. Embeddings, layers and head stay stock modules.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

NAME = "easytune_unpadded"
# Where families keep their layers.
_STACKS = ("encoder", "transformer")
# A row is filled up to a multiple of so many tokens: a CPU compiles its products for every size.
_STEP = 32


class Layout(NamedTuple):
    """`mask` bool [b, m]: where texts are; `index` [n]: the places of [b · m] that are computed."""

    mask: Tensor
    index: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> "Layout":
        """Of texts of so many tokens."""
        each = torch.tensor(lengths)
        mask = torch.arange(max(lengths))[None] < each[:, None]
        places = torch.arange(mask.numel()).view_as(mask)
        wanted = -(-sum(lengths) // _STEP) * _STEP
        fill = places[~mask][: wanted - sum(lengths)]
        index = torch.cat([places[mask], fill]).sort().values
        return cls(mask.to(device, non_blocking=True), index.to(device, non_blocking=True))

    def take(self, grid: Tensor) -> Tensor:
        """[b, m, d] → [n, d]"""
        return grid.flatten(0, 1).index_select(0, self.index)

    def spread(self, rows: Tensor) -> Tensor:
        """[n, d] → [b, m, d], zero where nothing was computed."""
        grid = rows.new_zeros(self.mask.numel(), rows.shape[-1])
        return grid.index_copy(0, self.index, rows).view(*self.mask.shape, -1)


class Unpadded:
    """The layers of an encoder, computing without padding for texts of known lengths."""

    def __init__(self, stack: Any) -> None:
        self._stack, self._stock = stack, stack.forward
        self._layout: Layout | None = None
        stack.forward = self._forward

    def remove(self) -> None:
        """Leave the layers as they were."""
        self._stack.forward = self._stock

    @contextmanager
    def reading(self, lengths: Sequence[int], device: torch.device) -> Iterator[None]:
        """Around a call of the model with texts of these lengths."""
        self._layout = Layout.of(lengths, device)
        try:
            yield
        finally:
            self._layout = None

    def _forward(
        self, hidden_states: Tensor, attention_mask: Any = None, *rest: Any, **options: Any
    ) -> Any:
        """`attention_mask` is not looked at: attention has its own."""
        layout = self._layout
        if layout is None:
            raise ValueError("an encoder without padding has to know its texts' lengths")
        rows = layout.take(hidden_states)[None]
        found = self._stock(rows, None, *rest, layout=layout, **options)
        found.last_hidden_state = layout.spread(found.last_hidden_state[0])
        return found


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    layout: Layout | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention of [1, heads, n, d] inside each text of the layout; returns [1, n, heads, d].

    Raises `ValueError` for what it does not compute.
    """
    if layout is None or attention_mask is not None or others.get("is_causal"):
        raise ValueError("attention without padding needs a layout and has no other masks")
    heads, size = query.shape[1], query.shape[3]

    def apart(states: Tensor) -> Tensor:
        """[1, heads, n, d] → [b, heads, m, d]"""
        grid = layout.spread(states[0].transpose(0, 1).flatten(1))
        return grid.unflatten(2, (heads, size)).transpose(1, 2)

    out = scaled_dot_product_attention(
        apart(query),
        apart(key),
        apart(value),
        attn_mask=layout.mask[:, None, None],
        dropout_p=dropout,
        scale=scaling,
    )
    return layout.take(out.transpose(1, 2).flatten(2)).unflatten(1, (heads, size))[None], None


def stack_of(model: Any) -> Any:
    """The layers of a stock encoder, or None where this is none."""
    if model.config.is_encoder_decoder or getattr(model.config, "is_decoder", False):
        return None
    found = (getattr(model.base_model, name, None) for name in _STACKS)
    return next((s for s in found if isinstance(getattr(s, "layer", None), nn.ModuleList)), None)


def register() -> None:
    """Make the attention known to transformers; without a mask function it gets no masks."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(NAME, attention)
