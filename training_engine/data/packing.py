"""Samples laid end to end in one row: no padding, so linear layers see only real tokens.

Attention is kept inside each sample by its length (`models/attention.py`), positions restart at
each sample. The last token of a sample is no input: nothing is learnt from what follows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training_engine.data.encode import EncodedSet


@dataclass(frozen=True)
class PackedRow:
    """One forward pass.

    `input_ids`, `position_ids` [1, n]; `lengths` of the samples in it, adding up to n. The hidden
    state at `predicting[i]` [k] is to predict token `targets[i]` [k]: only trained positions.
    """

    input_ids: Tensor
    position_ids: Tensor
    lengths: tuple[int, ...]
    predicting: Tensor
    targets: Tensor
    samples: tuple[int, ...]

    @property
    def trained_tokens(self) -> int:
        """Tokens that count in the loss."""
        return int(self.targets.numel())

    def to(self, device: torch.device) -> "PackedRow":
        """The same row on `device`."""
        if device.type == "cpu":
            return self
        tensors = (self.input_ids, self.position_ids, self.predicting, self.targets)
        inputs, positions, predicting, targets = (t.to(device, non_blocking=True) for t in tensors)
        return PackedRow(inputs, positions, self.lengths, predicting, targets, self.samples)


def pack(data: EncodedSet, samples: Sequence[int]) -> PackedRow:
    """Lay the given samples into one row."""
    inputs, positions, predicting, targets, lengths = [], [], [], [], []
    start = 0
    for sample in samples:
        begin, end = data.bounds[sample], data.bounds[sample + 1]
        tokens, trained = data.tokens[begin:end], data.trained[begin + 1 : end]
        length = end - begin - 1
        inputs.append(tokens[:-1])
        positions.append(torch.arange(length))
        predicting.append(trained.nonzero().squeeze(1) + start)
        targets.append(tokens[1:][trained])
        lengths.append(length)
        start += length
    return PackedRow(
        input_ids=torch.cat(inputs).long().unsqueeze(0),
        position_ids=torch.cat(positions).unsqueeze(0),
        lengths=tuple(lengths),
        predicting=torch.cat(predicting),
        targets=torch.cat(targets).long(),
        samples=tuple(samples),
    )


def split(
    data: EncodedSet, samples: Sequence[int], *, max_samples: int | None, max_tokens: int
) -> list[list[int]]:
    """Cut a batch into micro-batches of at most `max_samples`, and `max_tokens` where possible."""
    found: list[list[int]] = []
    tokens = 0
    for sample in samples:
        length = data.length(sample)
        full = max_samples is not None and bool(found) and len(found[-1]) >= max_samples
        if not found or full or tokens + length > max_tokens:
            found.append([])
            tokens = 0
        found[-1].append(sample)
        tokens += length
    return found
