"""Causal attention that stays inside each sample of a packed row.

Registered with transformers under our own name: stock models call it with the lengths that the
decoder was given. Nothing is masked and nothing is padded: each sample is its own small problem.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

NAME = "easytune_packed"


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    sample_lengths: tuple[int, ...] | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention of [1, heads, n, d] over samples of `sample_lengths`; returns [1, n, heads, d].

    Raises `ValueError` for what it does not compute (soft caps, sinks, masks, no lengths): such a
    model is trained by `sdpa`, one sample per row.
    """
    unknown = [name for name in ("softcap", "s_aux") if others.get(name) is not None]
    if unknown or attention_mask is not None or sample_lengths is None:
        raise ValueError(f"packed attention has no {', '.join(unknown) or 'masks'}")
    grouped = key.shape[1] != query.shape[1]
    if grouped and query.device.type == "cpu":
        repeats = query.shape[1] // key.shape[1]
        key, value = (t.repeat_interleave(repeats, dim=1) for t in (key, value))
        grouped = False
    outputs = []
    for q, k, v in zip(
        *(tensor.split(sample_lengths, dim=2) for tensor in (query, key, value)), strict=True
    ):
        window = sliding_window if sliding_window and sliding_window < q.shape[2] else None
        mask = _window_mask(q.shape[2], window, q.device) if window else None
        outputs.append(
            scaled_dot_product_attention(
                q,
                k,
                v,
                attn_mask=mask,
                dropout_p=dropout if module.training else 0.0,
                is_causal=mask is None,
                scale=scaling,
                enable_gqa=grouped,
            )
        )
    return torch.cat(outputs, dim=2).transpose(1, 2), None


def _window_mask(length: int, window: int, device: torch.device) -> Tensor:
    """[length, length]: position i sees i - window + 1 … i."""
    ones = torch.ones(length, length, dtype=torch.bool, device=device)
    return ones.tril() & ones.triu(1 - window)


def register() -> None:
    """Make the function known to transformers; without a mask function it gets no masks."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(NAME, packed_attention)
