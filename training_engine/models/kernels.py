"""Cross-entropy from hidden states, without ever holding the logits of all positions.

Logits of one position are as many numbers as the vocabulary has words. They are computed for
trained positions only, a chunk at a time, and each chunk's gradient at once, in the manner of
Liger's fused linear cross-entropy (https://arxiv.org/abs/2410.10989).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from training_engine.limits import LOGITS_AT_ONCE


@dataclass(frozen=True)
class _Head:
    """Hidden states [k, d] before a head's weight [v, d] and bias [v]."""

    hidden: Tensor
    weight: Tensor
    bias: Tensor | None

    def chunks(self) -> Iterator[slice]:
        """Stretches of positions whose logits may be held together, about equally long."""
        count = self.hidden.shape[0]
        most = max(1, LOGITS_AT_ONCE[self.hidden.device.type] // self.weight.shape[0])
        rows = max(1, -(-count // max(1, -(-count // most))))
        for start in range(0, count, rows):
            yield slice(start, min(start + rows, count))

    def logits(self, positions: slice | Tensor) -> Tensor:
        """Of some positions [m, v], new memory."""
        return nn.functional.linear(self.hidden[positions], self.weight, self.bias)


class _HeadGradients:
    """Gradients of hidden states, head and bias, summed up chunk by chunk; None: not asked for."""

    def __init__(self, head: _Head, wanted: tuple[bool, ...]) -> None:
        hidden, weight, bias = head.hidden, head.weight, head.bias
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


class _Predictions(NamedTuple):
    """`others`: probabilities [m, v], zero in the targets' places.

    `rest`: what all other words have together [m, 1], and `logs`: log p(target) [m, 1]; both
    float32 and exact where p(target) is near one.
    """

    others: Tensor
    rest: Tensor
    logs: Tensor


def _put(table: Tensor, columns: Tensor, values: Tensor | float) -> Tensor:
    """`table` [k, v] with `values` [k, 1] in each row's column of `columns` [k, 1].

    On a CPU `scatter_` would copy the whole table twice.
    """
    rows = torch.arange(table.shape[0], device=table.device)[:, None]
    table[rows, columns] = values.to(table.dtype) if isinstance(values, Tensor) else values
    return table


def _predictions(logits: Tensor, head: _Head, chunk: slice, targets: Tensor) -> _Predictions:
    """What [m, v] logits of the positions `chunk` say of `targets` [m, 1].

    Probabilities take the logits' place.
    """
    if logits.device.type != "cpu":
        logits = logits.float()
        log_sum = logits.logsumexp(dim=1, keepdim=True)
        logs = logits.gather(1, targets) - log_sum
        others = _put(logits.sub_(log_sum).exp_(), targets, 0.0)
        return _Predictions(others, -torch.expm1(logs), logs)
    # One pass over the logits in their own type; everything that needs float32 is one per row.
    others = torch.softmax(logits, dim=1, out=logits)
    likely = others.gather(1, targets).float()
    _put(others, targets, 0.0)
    rest = (others @ others.new_ones(others.shape[1], 1)).float()
    logs = torch.where(likely < 0.5, likely.log(), torch.log1p(-rest))
    lost = (likely < torch.finfo(torch.float32).tiny).squeeze(1).nonzero().squeeze(1)
    if len(lost):  # too unlikely for a number
        exact = head.logits(lost + chunk.start).float().log_softmax(dim=1)
        logs[lost] = exact.gather(1, targets[lost])
    return _Predictions(others, rest, logs)


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
        head = _Head(hidden, weight, bias)
        gradients = _HeadGradients(head, ctx.needs_input_grad)
        for chunk in head.chunks():
            wanted, logits = targets[chunk, None], head.logits(chunk)
            if smoothing:
                means = logits.mean(dim=1, dtype=torch.float32)
                total += smoothing * (logits.gather(1, wanted).squeeze(1).float() - means).sum()
            found, rest, logs = _predictions(logits, head, chunk, wanted)
            total -= logs.sum()
            if gradients:  # softmax minus the wanted distribution, in place
                everywhere = smoothing / weight.shape[0]
                if smoothing:
                    found.sub_(everywhere)
                _put(found, wanted, smoothing - everywhere - rest)
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
        head = _Head(hidden, weight, bias)
        for chunk in head.chunks():
            seen = _predictions(head.logits(chunk), head, chunk, targets[chunk, None])
            found[chunk] = seen.logs.squeeze(1)
        ctx.save_for_backward(hidden, weight, bias, targets)
        return found

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_found: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias, targets = ctx.saved_tensors
        head = _Head(hidden, weight, bias)
        gradients = _HeadGradients(head, ctx.needs_input_grad)
        for chunk in head.chunks():
            wanted, push = targets[chunk, None], d_found[chunk, None].float()
            others, rest, _ = _predictions(head.logits(chunk), head, chunk, wanted)
            # one-hot minus softmax, in place
            others.mul_(-push.to(others.dtype))
            gradients.add(chunk, _put(others, wanted, rest * push))
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


def onto(addition: Tensor, flat: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """addition + flat Wᵀ + bias, in place of `addition` [n, out]; `flat` [n, in].

    The small part comes first and is rounded once together with the large one. The other way round
    it meets a sum that is rounded already: below half its last digit it would be lost, always, and
    so would the first steps of an adapter in bfloat16.
    """
    addition.addmm_(flat, weight.t())
    return addition if bias is None else addition.add_(bias)


class _LoraLinear(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        low = flat @ a.t()
        out = onto((low * scale) @ b.t(), flat, weight, bias)
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
            d_x = onto(d_low @ a, d_flat, weight.t()).view(ctx.shape)
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
