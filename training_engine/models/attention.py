"""Causal attention that stays inside each sample of a packed row.

Registered with transformers under our own name: stock models call it with the lengths that the
decoder was given. Nothing is masked and nothing is padded: each sample is its own small problem.
"""

from functools import lru_cache
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable
from torch.nn.functional import scaled_dot_product_attention

from training_engine.models import flex

NAME = "easytune_packed"
# Set on attention modules for which FlexAttention was tried (`fused.py`).
BY_FLEX = "attends_by_flex"
# Up to this length plain matrix products beat the fused backward pass of the CPU (measured:
# three times as fast at 100 tokens, equal near 300).
SHORT = 256
_fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_fused_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


class _PackedOnCpu(Function):
    """The fused forward pass for every sample; a backward pass of matrix products where short."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, lengths: tuple[int, ...], scale: float
    ) -> Tensor:
        _, heads, total, size = query.shape
        groups = heads // key.shape[1]
        out = query.new_empty(1, total, heads, size)
        sums = []
        start = 0
        for length in lengths:
            q, k, v = (t.narrow(2, start, length) for t in (query, key, value))
            k, v = _repeat(k, groups), _repeat(v, groups)
            part, log_sum = _fused(q, k, v, 0.0, True, scale=scale)
            out.narrow(1, start, length).copy_(part.transpose(1, 2))
            sums.append(log_sum if length > SHORT else None)
            start += length
        ctx.save_for_backward(query, key, value, out, *sums)
        ctx.lengths, ctx.scale, ctx.groups = lengths, scale, groups
        return out

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, out, *sums = ctx.saved_tensors
        grads = tuple(torch.empty_like(t) for t in (query, key, value))
        start = 0
        for length, log_sum in zip(ctx.lengths, sums, strict=True):
            q, k, v = (t.narrow(2, start, length) for t in (query, key, value))
            o, d_o = (t.narrow(1, start, length).transpose(1, 2) for t in (out, d_out))
            if log_sum is None:
                found = _short_backward(q[0], k[0], v[0], o[0], d_o[0], ctx.scale)
            else:
                full = (q, _repeat(k, ctx.groups), _repeat(v, ctx.groups))
                d_q, *others = _fused_backward(d_o, *full, o, log_sum, 0.0, True, scale=ctx.scale)
                shape = (-1, ctx.groups, length, q.shape[-1])
                found = (d_q[0], *(part[0].view(shape).sum(dim=1) for part in others))
            for whole, part in zip(grads, found, strict=True):
                whole.narrow(2, start, length).copy_(part)
            start += length
        return (*grads, None, None)


def _repeat(states: Tensor, groups: int) -> Tensor:
    """Keys or values once for every query head that shares them."""
    return states if groups == 1 else states.repeat_interleave(groups, dim=1)


def _short_backward(
    q: Tensor, k: Tensor, v: Tensor, out: Tensor, d_out: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of one sample: `q`, `out`, `d_out` [heads, n, d], `k`, `v` [key heads, n, d].

    Query heads that share a key lie below each other, so that one product serves them all.
    """
    heads, length, size = q.shape
    shared = k.shape[0]
    q, out, d_out = (t.reshape(shared, -1, size) for t in (q, out, d_out))
    scores = torch.bmm(q, k.transpose(1, 2)).float().mul_(scale)
    future = torch.ones(length, length, dtype=torch.bool, device=q.device).triu_(1)
    scores.view(heads, length, length).masked_fill_(future, float("-inf"))
    weights = torch.softmax(scores, dim=-1)
    d_v = torch.bmm(weights.to(q.dtype).transpose(1, 2), d_out)
    inner = (d_out.float() * out.float()).sum(dim=-1, keepdim=True)
    d_scores = torch.bmm(d_out, v.transpose(1, 2)).float().sub_(inner).mul_(weights)
    d_scores = d_scores.mul_(scale).to(q.dtype)
    d_q = torch.bmm(d_scores, k).view(heads, length, size)
    return d_q, torch.bmm(d_scores.transpose(1, 2), q), d_v


def has_varlen_kernel(query: Tensor, value: Tensor) -> bool:
    """Whether the GPU has the kernel for samples of different lengths (FlashAttention 2)."""
    size = query.shape[-1]
    if query.device.type != "cuda" or query.dtype not in (torch.bfloat16, torch.float16):
        return False
    fits = size == value.shape[-1] and size % 8 == 0 and size <= 256
    return fits and bool(torch.cuda.get_device_capability(query.device) >= (8, 0))


@lru_cache(maxsize=4)
def _borders(lengths: tuple[int, ...], device: torch.device) -> Tensor:
    """Where samples begin and the last ends, int32 [samples + 1]; one copy for all layers."""
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.int32).to(device, non_blocking=True)


def _varlen(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: tuple[int, ...],
    scale: float,
    window: int | None,
) -> Tensor:
    """All samples in one call of PyTorch's FlashAttention (https://arxiv.org/abs/2307.08691)."""
    from torch.nn.attention import varlen

    borders, longest = _borders(lengths, query.device), max(lengths)
    # A window of w counts the token itself.
    left = window - 1 if window is not None and window < longest else -1
    states = (t[0].transpose(0, 1) for t in (query, key, value))
    out: Tensor = varlen.varlen_attn(
        *states,
        borders,
        borders,
        longest,
        longest,
        scale=scale,
        window_size=(left, 0),
        enable_gqa=key.shape[1] != query.shape[1],
    )
    return out.unsqueeze(0)


def _one_by_one(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: tuple[int, ...],
    scale: float,
    window: int | None,
    dropout: float,
) -> Tensor:
    """Each sample by itself, with PyTorch's own choice of a kernel."""
    grouped = key.shape[1] != query.shape[1]
    outputs = []
    for q, k, v in zip(
        *(tensor.split(lengths, dim=2) for tensor in (query, key, value)), strict=True
    ):
        narrow = window if window and window < q.shape[2] else None
        mask = _window_mask(q.shape[2], narrow, q.device) if narrow else None
        outputs.append(
            scaled_dot_product_attention(
                q,
                k,
                v,
                attn_mask=mask,
                dropout_p=dropout,
                is_causal=mask is None,
                scale=scale,
                enable_gqa=grouped,
            )
        )
    return torch.cat(outputs, dim=2).transpose(1, 2)


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
    if scaling is None:
        scaling = query.shape[-1] ** -0.5
    drops = dropout > 0 and module.training
    how = (query, key, value, sample_lengths, scaling, sliding_window)
    if not drops and has_varlen_kernel(query, value):
        return _varlen(*how), None
    if not drops and getattr(module, BY_FLEX, False):
        return flex.attend(*how), None
    plain = not drops and query.shape[-1] == value.shape[-1]
    whole = sliding_window is None or sliding_window >= max(sample_lengths)
    if query.device.type == "cpu" and plain and whole:
        return _PackedOnCpu.apply(query, key, value, sample_lengths, scaling), None
    return _one_by_one(*how, dropout if module.training else 0.0), None


def _window_mask(length: int, window: int, device: torch.device) -> Tensor:
    """[length, length]: position i sees i - window + 1 … i."""
    ones = torch.ones(length, length, dtype=torch.bool, device=device)
    return ones.tril() & ones.triu(1 - window)


def register() -> None:
    """Make the function known to transformers; without a mask function it gets no masks."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(NAME, packed_attention)
