"""Rotary positions (https://arxiv.org/abs/2104.09864) with halves rotated, as Llama does it."""

import torch
from torch import Tensor


def rotate(x: Tensor, cos: Tensor, sin: Tensor, out: Tensor, *, back: bool = False) -> None:
    """Turn [n, heads, d] by `cos`, `sin` [n, 1, d] into `out` of any strides; `back` undoes it."""
    half = x.shape[-1] // 2
    sin = sin[..., :half]
    torch.mul(x, cos, out=out)
    sign = 1.0 if back else -1.0
    out[..., :half].addcmul_(x[..., half:], sin, value=sign)
    out[..., half:].addcmul_(x[..., :half], sin, value=-sign)
