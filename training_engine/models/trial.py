"""A small row that a model is tried with before it is trained."""

from typing import Any

import torch
from torch import Tensor

from training_engine.data.packing import PackedRow


def alike(ours: Tensor, wanted: Tensor, dtype: torch.dtype) -> bool:
    """Whether two ways of computing in `dtype` differ by no more than their roundings."""
    tolerance = 0.05 if dtype in (torch.bfloat16, torch.float16) else 1e-3
    return bool((ours.float() - wanted.float()).norm() <= tolerance * wanted.float().norm())


def random_row(model: Any, lengths: tuple[int, ...]) -> PackedRow:
    """Texts of so many tokens to try a model with, the same every time."""
    device, total = model.device, sum(lengths)
    generator = torch.Generator().manual_seed(0)
    known = model.get_input_embeddings().weight.shape[0]
    ids = torch.randint(known, (1, total), generator=generator).to(device)
    each = torch.tensor(lengths, device=device)
    return PackedRow(
        input_ids=ids,
        position_ids=torch.cat([torch.arange(length, device=device) for length in lengths])[None],
        lengths=lengths,
        predicting=torch.arange(total, device=device),
        targets=ids[0],
        owner=torch.arange(len(lengths), device=device).repeat_interleave(each),
        samples=tuple(range(len(lengths))),
    )
