"""Cross-entropy from hidden states, without ever holding the logits of all positions.

Logits of one position are as many numbers as the vocabulary has words. They are computed for
trained positions only, a chunk at a time, and each chunk's gradient at once, in the manner of
Liger's fused linear cross-entropy (https://arxiv.org/abs/2410.10989).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from training_engine.limits import LOGITS_AT_ONCE


def _chunks(hidden: Tensor, weight: Tensor) -> Iterator[slice]:
    """Stretches of positions whose logits may be held together."""
    rows = max(1, LOGITS_AT_ONCE[hidden.device.type] // weight.shape[0])
    for start in range(0, hidden.shape[0], rows):
        yield slice(start, start + rows)


class _HeadGradients:
    """Gradients of hidden states, head and bias, summed up chunk by chunk; None: not asked for."""

    def __init__(
        self, hidden: Tensor, weight: Tensor, bias: Tensor | None, wanted: tuple[bool, ...]
    ) -> None:
        self._hidden, self._weight = hidden, weight
        exact = {"dtype": torch.float32}
        self.hidden = torch.empty_like(hidden) if wanted[0] else None
        self.weight = torch.zeros_like(weight, **exact) if wanted[1] else None
        self.bias = torch.zeros_like(bias, **exact) if bias is not None and wanted[2] else None

    def __bool__(self) -> bool:
        return any(part is not None for part in (self.hidden, self.weight, self.bias))

    def add(self, chunk: slice, d_logits: Tensor) -> None:
        """Take in the gradient of the logits of some positions."""
        if self.bias is not None:
            self.bias += d_logits.sum(dim=0, dtype=torch.float32)
        rough = d_logits.to(self._hidden.dtype)
        if self.hidden is not None:
            torch.mm(rough, self._weight, out=self.hidden[chunk])
        if self.weight is not None:
            self.weight += (rough.t() @ self._hidden[chunk]).float()


def _predictions(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What [k, v] logits say of `targets` [k, 1].

    Probabilities [k, v] with zero in the targets' places; what all other words have together
    [k, 1] and log p(target) [k, 1], both float32 and exact where p(target) is near one.
    """
    if logits.device.type != "cpu":
        logits = logits.float()
        log_sum = logits.logsumexp(dim=1, keepdim=True)
        logs = logits.gather(1, targets) - log_sum
        return logits.sub_(log_sum).exp_().scatter_(1, targets, 0.0), -torch.expm1(logs), logs
    # One pass over the logits in their own type; everything that needs float32 is one per row.
    found = torch.softmax(logits, dim=1)
    likely = found.gather(1, targets).float()
    found.scatter_(1, targets, 0.0)
    rest = (found @ found.new_ones(found.shape[1], 1)).float()
    logs = torch.where(likely < 0.5, likely.log(), torch.log1p(-rest))
    lost = (likely < torch.finfo(torch.float32).tiny).squeeze(1)
    if bool(lost.any()):  # too unlikely for a number
        logs[lost] = logits[lost].float().log_softmax(dim=1).gather(1, targets[lost])
    return found, rest, logs


class _ChunkedCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        smoothing: float,
    ) -> Tensor:
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        gradients = _HeadGradients(hidden, weight, bias, ctx.needs_input_grad)
        for chunk in _chunks(hidden, weight):
            wanted = targets[chunk, None]
            logits = nn.functional.linear(hidden[chunk], weight, bias)
            if smoothing:
                means = logits.mean(dim=1, dtype=torch.float32)
                total += smoothing * (logits.gather(1, wanted).squeeze(1).float() - means).sum()
            found, rest, logs = _predictions(logits, wanted)
            total -= logs.sum()
            if gradients:  # softmax minus the wanted distribution, in place
                everywhere = smoothing / weight.shape[0]
                if smoothing:
                    found.sub_(everywhere)
                found.scatter_(1, wanted, (smoothing - everywhere - rest).to(found.dtype))
                gradients.add(chunk, found)
        ctx.save_for_backward(gradients.hidden, gradients.weight, gradients.bias)
        ctx.types = (hidden.dtype, weight.dtype, weight.dtype)
        return total

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_total: Tensor) -> tuple[Tensor | None, ...]:
        found = (
            None if part is None else (part * d_total.to(part.dtype)).to(dtype)
            for part, dtype in zip(ctx.saved_tensors, ctx.types, strict=True)
        )
        return (*found, None, None)


def chunked_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    bias: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Sum over positions of -log p(target), float32.

    `hidden` [k, d]: positions that are trained and no others; `weight` [v, d]; `bias` [v];
    `targets` [k]. `label_smoothing` as in `torch.nn.functional.cross_entropy`
    (https://arxiv.org/abs/1512.00567). Gradients are exact up to the rounding of the hidden
    states' own type; they can not be differentiated again.
    """
    if not torch.is_grad_enabled():
        hidden, weight = hidden.detach(), weight.detach()
        bias = None if bias is None else bias.detach()
    total: Tensor = _ChunkedCrossEntropy.apply(hidden, weight, bias, targets, label_smoothing)
    return total


class _TokenLogProbs(Function):
    """The logits are computed again in the backward pass, when the gradients are known."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor
    ) -> Tensor:
        found = torch.empty(hidden.shape[0], dtype=torch.float32, device=hidden.device)
        for chunk in _chunks(hidden, weight):
            logits = nn.functional.linear(hidden[chunk], weight, bias)
            found[chunk] = _predictions(logits, targets[chunk, None])[2].squeeze(1)
        ctx.save_for_backward(hidden, weight, bias, targets)
        return found

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_found: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias, targets = ctx.saved_tensors
        gradients = _HeadGradients(hidden, weight, bias, ctx.needs_input_grad)
        for chunk in _chunks(hidden, weight):
            wanted, push = targets[chunk, None], d_found[chunk, None].float()
            logits = nn.functional.linear(hidden[chunk], weight, bias)
            others, rest, _ = _predictions(logits, wanted)
            # one-hot minus softmax, in place
            others.mul_(-push.to(others.dtype))
            gradients.add(chunk, others.scatter_(1, wanted, (rest * push).to(others.dtype)))
        parts = (gradients.hidden, gradients.weight, gradients.bias)
        return (*(None if part is None else part.to(weight.dtype) for part in parts), None)


def token_log_probs(
    hidden: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None = None
) -> Tensor:
    """log p(target) at each position: [k] float32, for losses that compare whole answers.

    Shapes as in `chunked_cross_entropy`. Gradients flow to `hidden`, and to `weight` and `bias`
    where they learn; the logits of all positions are never held, neither then.
    """
    found: Tensor = _TokenLogProbs.apply(hidden, weight, bias, targets)
    return found


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
