"""Cross-entropy from hidden states, without ever holding the logits of all positions.

Logits of one position are as many numbers as the vocabulary has words. They are computed for
trained positions only, a chunk at a time, and each chunk's gradient at once, in the manner of
Liger's fused linear cross-entropy (https://arxiv.org/abs/2410.10989).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from training_engine.limits import LOGITS_AT_ONCE


class _ChunkedCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor
    ) -> Tensor:
        needs_hidden, needs_weight, needs_bias, _ = ctx.needs_input_grad
        rows = max(1, LOGITS_AT_ONCE[hidden.device.type] // weight.shape[0])
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        d_hidden = torch.empty_like(hidden) if needs_hidden else None
        d_weight = torch.zeros_like(weight, dtype=torch.float32) if needs_weight else None
        d_bias = torch.zeros_like(weight[:, 0], dtype=torch.float32) if needs_bias else None
        for start in range(0, hidden.shape[0], rows):
            part, wanted = hidden[start : start + rows], targets[start : start + rows]
            logits = nn.functional.linear(part, weight, bias).float()
            log_sum = logits.logsumexp(dim=1)
            total += (log_sum - logits.gather(1, wanted[:, None]).squeeze(1)).sum()
            if d_hidden is None and d_weight is None and d_bias is None:
                continue
            # softmax minus one-hot, in place
            logits.sub_(log_sum[:, None]).exp_()
            logits[torch.arange(len(wanted), device=wanted.device), wanted] -= 1.0
            if d_bias is not None:
                d_bias += logits.sum(dim=0)
            d_logits = logits.to(hidden.dtype)
            if d_hidden is not None:
                torch.mm(d_logits, weight, out=d_hidden[start : start + rows])
            if d_weight is not None:
                d_weight += (d_logits.t() @ part).float()
        ctx.save_for_backward(d_hidden, d_weight, d_bias)
        ctx.weight_dtype = weight.dtype
        return total

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_total: Tensor) -> tuple[Tensor | None, ...]:
        d_hidden, *others = ctx.saved_tensors
        if d_hidden is not None:
            d_hidden = d_hidden * d_total.to(d_hidden.dtype)
        d_weight, d_bias = (
            None if part is None else (part * d_total).to(ctx.weight_dtype) for part in others
        )
        return d_hidden, d_weight, d_bias, None


def chunked_cross_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Sum over positions of -log p(target), float32.

    `hidden` [k, d]: positions that are trained and no others; `weight` [v, d]; `bias` [v];
    `targets` [k]. Gradients are exact up to the rounding of the hidden states' own type; they can
    not be differentiated again.
    """
    if not torch.is_grad_enabled():
        weight = weight.detach()
    total: Tensor = _ChunkedCrossEntropy.apply(hidden, weight, bias, targets)
    return total


class _LoraLinear(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        low = flat @ a.t()
        out = flat @ weight.t() if bias is None else torch.addmm(bias, flat, weight.t())
        out.addmm_(low, b.t(), alpha=scale)
        ctx.save_for_backward(flat, low, weight, a, b)
        ctx.scale, ctx.shape = scale, x.shape
        return out.view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, None, None, Tensor, Tensor, None]:
        flat, low, weight, a, b = ctx.saved_tensors
        d_flat = d_out.reshape(-1, d_out.shape[-1])
        d_low = (d_flat @ b).mul_(ctx.scale)
        d_b = (d_flat.t() @ low).mul_(ctx.scale)
        d_a = d_low.t() @ flat
        d_x = None
        if ctx.needs_input_grad[0]:  # not for the first layer: embeddings are frozen
            d_x = (d_flat @ weight).addmm_(d_low, a).view(ctx.shape)
        return d_x, None, None, d_a, d_b, None


def lora_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
) -> Tensor:
    """x Wᵀ + bias + scale · (x Aᵀ) Bᵀ with W [out, in] frozen, A [r, in], B [out, r].

    LoRA, https://arxiv.org/abs/2106.09685. The adapter is added into the product of the frozen
    weight, and nothing is kept for the backward pass but x and the narrow x Aᵀ.
    """
    out: Tensor = _LoraLinear.apply(x, weight, bias, a, b, scale)
    return out
