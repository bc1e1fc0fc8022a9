"""FlexAttention over packed samples, where FlashAttention has no kernel (older GPUs, float32).

One compiled call for a row instead of one call for each sample (https://arxiv.org/abs/2412.05496).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask

# Queries and keys are looked at in squares of this size.
BLOCK = 128


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: tuple[int, ...],
    scale: float,
    window: int | None,
) -> Tensor:
    """Attention of [1, heads, n, d] over samples of `lengths`; returns [1, n, heads, d]."""
    if window is not None and window >= max(lengths):
        window = None
    out: Tensor = compiled()(
        query,
        key,
        value,
        block_mask=block_mask(lengths, window, query.device),
        scale=scale,
        enable_gqa=key.shape[1] != query.shape[1],
    )
    return out.transpose(1, 2)


@lru_cache(maxsize=1)
def compiled() -> Callable[..., Any]:
    """The kernel, compiled once for rows of every length; it is imported where it is used."""
    from torch.nn.attention.flex_attention import flex_attention

    kernel: Callable[..., Any] = torch.compile(flex_attention, dynamic=True)
    return kernel


@lru_cache(maxsize=4)
def block_mask(lengths: tuple[int, ...], window: int | None, device: torch.device) -> "BlockMask":
    """Which keys a query sees: of its own sample, none after it, at most `window` with itself.

    Blocks are judged by the tokens at their edges, so that no mask of [n, n] is ever made; one
    mask serves all layers.
    """
    from torch.nn.attention.flex_attention import BlockMask

    total = sum(lengths)
    sample = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
    first = torch.arange(0, total, BLOCK)
    last = (first + BLOCK - 1).clamp(max=total - 1)
    q_first, q_last = first[:, None], last[:, None]
    # Samples follow each other: of two blocks they share one if the nearest tokens do.
    seen = (first <= q_first) & (sample[last] >= sample[q_first])
    whole = (first < q_first) & (sample[first] == sample[q_last]) & (q_last - q_first == BLOCK - 1)
    if window is not None:
        seen &= q_first - last < window
        whole &= q_last - first < window
    on_device = sample.to(device, torch.int32, non_blocking=True)

    def visible(_batch: Tensor, _head: Tensor, q: Tensor, k: Tensor) -> Tensor:
        return (on_device[q] == on_device[k]) & (q >= k)

    def near(batch: Tensor, head: Tensor, q: Tensor, k: Tensor) -> Tensor:
        return visible(batch, head, q, k) & (q - k < window)

    return BlockMask.from_kv_blocks(
        *_ordered(seen & ~whole, device),
        *_ordered(whole, device),
        BLOCK_SIZE=BLOCK,
        mask_mod=visible if window is None else near,
        seq_lengths=(total, total),
    )


def _ordered(blocks: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """How many key blocks each query block has [1, 1, m], and which, those first [1, 1, m, m]."""
    count = blocks.sum(dim=1, dtype=torch.int32)
    which = blocks.int().argsort(dim=1, descending=True, stable=True).int()
    moved = (part.to(device, non_blocking=True)[None, None] for part in (count, which))
    return next(moved), next(moved)
