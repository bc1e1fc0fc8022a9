"""Numbers as GGUF stores them: which type each matrix of a model gets, and the packing itself.

The `gguf` package packs all types but the K-quants; those it only unpacks. Q4_K and Q6_K are packed
here, in the layout of ggml's `block_q4_K` and `block_q6_K`
(https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h): 256 numbers share a half-precision
scale, and every 32 (Q4_K) or 16 (Q6_K) of them a small integer that multiplies it.
"""

from collections.abc import Callable

import numpy as np
import torch
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Type
from gguf.quants import quantize
from torch import Tensor

from training_engine.contract.exports import ExportFormat

SUPER = 256
# Numbers packed at once: keeps what is computed on the way near 200 MB.
CHUNK = 4 * 1024 * 1024
_PLAIN = {ExportFormat.GGUF_F16: Type.F16, ExportFormat.GGUF_Q8_0: Type.Q8_0}
# Taken instead where a row is no multiple of 256, as llama.cpp does.
_SMALLER_BLOCKS = {Type.Q4_K: Type.Q5_0, Type.Q6_K: Type.Q8_0}


def type_of(
    format: ExportFormat, name: str, shape: tuple[int, ...], layers: int, tied: bool
) -> Type:
    """The type of a tensor by its GGUF name; vectors always stay whole."""
    if len(shape) < 2:
        return Type.F32
    wanted = _PLAIN.get(format) or _mixed(name, layers, tied)
    if shape[-1] % GGML_QUANT_SIZES[wanted][0]:
        wanted = _SMALLER_BLOCKS.get(wanted, wanted)
    return Type.F16 if shape[-1] % GGML_QUANT_SIZES[wanted][0] else wanted


def _mixed(name: str, layers: int, tied: bool) -> Type:
    """The mixture called Q4_K_M: six bits where an error costs most, else four."""
    if name == "output.weight" or (tied and name == "token_embd.weight"):
        return Type.Q6_K
    parts = name.split(".")
    if parts[0] == "blk" and parts[2] in ("attn_v", "ffn_down"):
        layer, eighth = int(parts[1]), layers // 8
        if layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2:
            return Type.Q6_K
    return Type.Q4_K


def stored_bytes(shape: tuple[int, ...], type_: Type) -> int:
    """Bytes that a tensor takes in the file."""
    block, size = GGML_QUANT_SIZES[type_]
    return int(np.prod(shape)) // int(block) * int(size)


def pack(values: Tensor, type_: Type, look: Callable[[], None]) -> np.ndarray:
    """A tensor as the file stores it; packed types as bytes, (…, bytes of a row).

    `look` is called between pieces and may raise.
    """
    own = {Type.Q4_K: _q4_k, Type.Q6_K: _q6_k}.get(type_)
    rows = values.reshape(-1, values.shape[-1])
    step = max(1, CHUNK // max(1, rows.shape[-1]))
    packed = []
    for piece in rows.split(step):
        look()
        numbers = piece.to(torch.float32)
        if own is not None:
            blocks = own(numbers.reshape(-1, SUPER))
            packed.append(blocks.reshape(len(piece), -1).numpy())
        else:
            packed.append(quantize(numbers.contiguous().numpy(), type_))
    whole: np.ndarray = np.concatenate(packed)
    return whole.reshape(*values.shape[:-1], whole.shape[-1])


def _halves(values: Tensor) -> Tensor:
    """(n,) as the two bytes of half precision each, (n, 2)."""
    return values.to(torch.float16).contiguous().view(torch.uint8).reshape(-1, 2)


def _q4_k(x: Tensor) -> Tensor:
    """(n, 256) fp32 → (n, 144) bytes: number = d·scale·q - dmin·offset, q of 4 bits."""
    groups = x.reshape(-1, 8, 32)
    scale, offset = _fit(groups)
    d, d_min = scale.amax(1) / 63, offset.amax(1) / 63
    d, d_min = _stored(d), _stored(d_min)
    scales = _whole(scale / _divisor(d)[:, None], 63)
    offsets = _whole(offset / _divisor(d_min)[:, None], 63)
    real = d[:, None] * scales
    shift = d_min[:, None] * offsets
    q = _whole((groups + shift[..., None]) / _divisor(real)[..., None], 15)
    q = torch.where(real[..., None] > 0, q, 0).to(torch.uint8)
    s, m = scales.to(torch.uint8), offsets.to(torch.uint8)
    # Six bits each: the first four of both whole, the upper two bits of the others above them.
    small = torch.cat(
        [
            s[:, :4] | ((s[:, 4:] >> 4) << 6),
            m[:, :4] | ((m[:, 4:] >> 4) << 6),
            (s[:, 4:] & 15) | ((m[:, 4:] & 15) << 4),
        ],
        dim=1,
    )
    pairs = q.reshape(-1, 4, 2, 32)
    nibbles = (pairs[:, :, 0] | (pairs[:, :, 1] << 4)).reshape(-1, 128)
    return torch.cat([_halves(d), _halves(d_min), small, nibbles], dim=1)


def _fit(groups: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and offset (n, 8) ≥ 0 with x ≈ scale·q - offset, q 0…15.

    Rounding to the range, then the best line through what was rounded, again and again; large
    numbers count more. Several ranges are tried, since cutting off the ends can be better.
    """
    weight = groups.abs() + groups.square().mean(-1, keepdim=True).sqrt()
    low = groups.amin(-1).clamp(max=0)
    high = groups.amax(-1)
    best_error = torch.full_like(low, torch.inf)
    best_scale, best_offset = torch.zeros_like(low), torch.zeros_like(low)
    for shrink in (1.0, 0.96, 0.92, 0.88, 0.84):
        scale, offset = (high - low) * shrink / 15, -low * shrink
        for _ in range(3):
            rounded = _whole((groups + offset[..., None]) / _divisor(scale)[..., None], 15)
            made = scale[..., None] * rounded - offset[..., None]
            error = (weight * (made - groups).square()).sum(-1)
            better = error < best_error
            best_error = torch.where(better, error, best_error)
            best_scale = torch.where(better, scale, best_scale)
            best_offset = torch.where(better, offset, best_offset)
            scale, offset = _line(groups, rounded, weight)
    return best_scale, best_offset


def _line(x: Tensor, q: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted least squares of x = scale·q - offset; neither may be negative."""
    w, wq = weight.sum(-1), (weight * q).sum(-1)
    wqq, wx, wqx = (weight * q * q).sum(-1), (weight * x).sum(-1), (weight * q * x).sum(-1)
    determinant = w * wqq - wq * wq
    scale = (w * wqx - wx * wq) / _divisor(determinant)
    offset = (wq * wqx - wqq * wx) / _divisor(determinant)
    through_zero = (offset < 0) | (determinant <= 0)
    scale = torch.where(through_zero, wqx / _divisor(wqq), scale).clamp(min=0)
    return scale, torch.where(through_zero, 0, offset)


def _q6_k(x: Tensor) -> Tensor:
    """(n, 256) fp32 → (n, 210) bytes: number = d·scale·q, q of 6 bits around 0."""
    groups = x.reshape(-1, 16, 16)
    # The number farthest from zero lies on the end of the range that is longer, -32.
    far = groups.gather(-1, groups.abs().argmax(-1, keepdim=True)).squeeze(-1)
    scale = _signed_fit(groups, -far / 32)
    largest = scale.gather(-1, scale.abs().argmax(-1, keepdim=True)).squeeze(-1)
    d = _stored(-largest / 128)
    scales = (scale / _divisor(d)[:, None]).round().clamp(-128, 127)
    real = d[:, None] * scales
    q = (groups / _divisor(real)[..., None]).round().clamp(-32, 31) + 32
    q = torch.where(real[..., None] != 0, q, 32).to(torch.uint8).reshape(-1, 2, 4, 32)
    low = q & 15
    lower = torch.stack([low[:, :, 0] | low[:, :, 2] << 4, low[:, :, 1] | low[:, :, 3] << 4], dim=2)
    high = q >> 4
    upper = high[:, :, 0] | high[:, :, 1] << 2 | high[:, :, 2] << 4 | high[:, :, 3] << 6
    bytes_of_scales = scales.to(torch.int8).view(torch.uint8)
    parts = [lower.reshape(-1, 128), upper.reshape(-1, 64), bytes_of_scales, _halves(d)]
    return torch.cat(parts, dim=1)


def _signed_fit(groups: Tensor, scale: Tensor) -> Tensor:
    """The scale (n, 16) with x ≈ scale·q, q -32…31, that fits the squares of large numbers best."""
    weight = groups.square()
    for _ in range(2):
        q = (groups / _divisor(scale)[..., None]).round().clamp(-32, 31)
        products, squares = (weight * q * groups).sum(-1), (weight * q * q).sum(-1)
        scale = torch.where(squares > 0, products / _divisor(squares), scale)
    return scale


def _stored(values: Tensor) -> Tensor:
    """As it will be read back."""
    return values.to(torch.float16).to(torch.float32)


def _whole(values: Tensor, most: int) -> Tensor:
    return values.round().clamp(0, most)


def _divisor(values: Tensor) -> Tensor:
    """Never zero; what was divided by zero is not used."""
    return torch.where(values == 0, 1, values)
