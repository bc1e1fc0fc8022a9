"""Attention over samples laid end to end in one row: no padding, and no sample sees another.

Registered with transformers under a name of ours, so that stock model classes call it. The borders
of the samples travel with the call (`packing=`). Every sample attends causally to itself, with the
fused kernel of the device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

NAME = "easytune_packed"


@dataclass(frozen=True)
class Packing:
    """Lengths of the samples in a row, in order; their sum is the row's length."""

    lengths: tuple[int, ...]

    @classmethod
    def of(cls, lengths: Sequence[int]) -> "Packing":
        """From any sequence of positive lengths."""
        return cls(tuple(lengths))

    def position_ids(self) -> Tensor:
        """(1, tokens): positions begin at 0 in every sample."""
        return torch.cat([torch.arange(n) for n in self.lengths])[None]


def _window_mask(length: int, window: int, device: torch.device) -> Tensor:
    """(length, length) boolean: causal, and at most `window` tokens back."""
    position = torch.arange(length, device=device)
    distance = position[:, None] - position[None, :]
    return (distance >= 0) & (distance < window)


def packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packing: Packing | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """`query` (1, heads, tokens, size), `key`/`value` with as many or fewer heads → (1, tokens,
    heads, size). Without `packing` the row is one sample.
    """
    lengths = packing.lengths if packing else (query.shape[2],)
    grouped = query.shape[1] != key.shape[1]
    pieces = []
    begin = 0
    for length in lengths:
        end = begin + length
        mask = None
        if sliding_window is not None and length > sliding_window:
            mask = _window_mask(length, sliding_window, query.device)
        piece = functional.scaled_dot_product_attention(
            query[:, :, begin:end],
            key[:, :, begin:end],
            value[:, :, begin:end],
            attn_mask=mask,
            dropout_p=dropout if module.training else 0.0,
            is_causal=mask is None,
            scale=scaling,
            enable_gqa=grouped,
        )
        pieces.append(piece.transpose(1, 2))
        begin = end
    return torch.cat(pieces, dim=1) if len(pieces) > 1 else pieces[0], None


def register() -> None:
    """Make the name known to transformers; calling it again changes nothing."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, packed_attention)


def is_supported(config: Any) -> bool:
    """Whether a model's attention is what `packed_attention` computes.

    Soft-capped scores (Gemma 2) and attention sinks (gpt-oss) are not.
    """
    text = config.get_text_config()
    return not getattr(text, "attn_logit_softcapping", None) and text.model_type != "gpt_oss"
