"""The two hot spots as autograd functions: a linear layer with a LoRA adapter, and cross-entropy
that never holds the logits of more than a chunk of tokens.

LoRA: Hu et al. 2021, arXiv:2106.09685. Computing the gradient of the loss with respect to the
hidden states in the forward pass: Hsu et al. 2024 (Liger), arXiv:2410.10989.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

# Logits of this many elements are held at once: 64 MB in bf16.
CHUNK_ELEMENTS = 32 * 1024 * 1024
IGNORED = -100


class _LoraLinear(Function):
    """y = x Wᵀ + b + s (x Aᵀ) Bᵀ with W and b frozen; A and B are fp32 masters."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        down, up = a.to(x.dtype), b.to(x.dtype)
        inner = rows @ down.t()
        y = torch.mm(rows, weight.t()) if bias is None else torch.addmm(bias, rows, weight.t())
        y.addmm_(inner, up.t(), alpha=scale)
        ctx.save_for_backward(rows, weight, down, up, inner)
        ctx.scale, ctx.shape, ctx.dtype = scale, x.shape, a.dtype
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, down, up, inner = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])
        # The small products first scale: r columns instead of the layer's width.
        grad_inner = (grad @ up).mul_(ctx.scale)
        grad_b = (grad.t() @ inner).mul_(ctx.scale).to(ctx.dtype)
        grad_a = (grad_inner.t() @ rows).to(ctx.dtype)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = torch.mm(grad, weight).addmm_(grad_inner, down).view(ctx.shape)
        return grad_x, None, None, grad_a, grad_b, None


def lora_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
) -> Tensor:
    """`x` (…, in), `weight` (out, in), `a` (r, in), `b` (out, r) → (…, out)."""
    y: Tensor = _LoraLinear.apply(x, weight, bias, a, b, scale)
    return y


class _ChunkedCrossEntropy(Function):
    """Sum of token losses; the gradients are computed on the way, chunk by chunk."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor
    ) -> Tensor:
        need_hidden, need_weight, need_bias, _ = ctx.needs_input_grad
        need = need_hidden or need_weight or need_bias
        loss = hidden.new_zeros((), dtype=torch.float32)
        grad_hidden = torch.empty_like(hidden) if need_hidden else None
        grad_weight = torch.zeros_like(weight, dtype=torch.float32) if need_weight else None
        grad_bias = torch.zeros_like(bias, dtype=torch.float32) if need_bias else None
        step = max(1, CHUNK_ELEMENTS // weight.shape[0])
        for begin in range(0, len(hidden), step):
            part = hidden[begin : begin + step]
            wanted = targets[begin : begin + step]
            logits = functional.linear(part, weight, bias).float()
            scores = functional.log_softmax(logits, dim=-1, dtype=torch.float32)
            loss -= scores.gather(1, wanted[:, None]).sum()
            if not need:
                continue
            grad = scores.exp_()
            grad[torch.arange(len(wanted), device=grad.device), wanted] -= 1
            if grad_bias is not None:
                grad_bias += grad.sum(0)
            small = grad.to(hidden.dtype)
            if grad_hidden is not None:
                torch.mm(small, weight, out=grad_hidden[begin : begin + step])
            if grad_weight is not None:
                grad_weight += (small.t() @ part).float()
        ctx.save_for_backward(
            grad_hidden,
            None if grad_weight is None else grad_weight.to(weight.dtype),
            None if grad_bias is None or bias is None else grad_bias.to(bias.dtype),
        )
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        scale = grads[0]
        return (
            *(None if g is None else g * scale.to(g.dtype) for g in ctx.saved_tensors),
            None,
        )


def chunked_cross_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Sum over tokens of −log p(target), fp32.

    `hidden` (tokens, width): only positions that are trained; `weight` (vocabulary, width);
    `targets` (tokens,) of token ids. Memory: one chunk of logits instead of all.
    """
    loss: Tensor = _ChunkedCrossEntropy.apply(hidden, weight, bias, targets)
    return loss
