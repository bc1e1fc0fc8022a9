"""Causal attention inside the samples of a packed row, as blocks of matrix products.

Short samples that follow each other share a block whose mask keeps them apart; a long sample is
cut into blocks of queries that meet only the keys before their end. So every product is large
enough for a processor's matrix units, and little of it is masked away.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

# Samples share a block up to this many tokens; longer ones are cut into blocks of so many.
BLOCK = 128
# A long sample is cut into no more blocks than this: gradients of keys are summed over them in the
# states' own type.
MOST_BLOCKS = 8
# Attention weights are kept for the backward pass up to so many keys, beyond computed again.
KEPT = 640


@dataclass(frozen=True)
class Block:
    """Queries `start` … `end` of a row against keys `first` … `end`; the last ones are masked.

    `mask` [(end - start) · groups, end - start] is 0 or -inf.
    """

    first: int
    start: int
    end: int
    mask: Tensor


@lru_cache(maxsize=4)
def blocks(lengths: tuple[int, ...], groups: int, dtype: torch.dtype) -> tuple[Block, ...]:
    """The blocks of a row of samples of these lengths; later blocks of a sample come first."""
    found: list[Block] = []
    start, waiting = 0, list[int]()
    for length in lengths:
        if waiting and sum(waiting) + length > BLOCK:
            found.append(_shared(start - sum(waiting), waiting, groups, dtype))
            waiting = []
        if length <= BLOCK:
            waiting.append(length)
        else:
            found += _cut(start, length, groups, dtype)
        start += length
    if waiting:
        found.append(_shared(start - sum(waiting), waiting, groups, dtype))
    return tuple(found)


def _shared(start: int, lengths: list[int], groups: int, dtype: torch.dtype) -> Block:
    """One block for whole samples."""
    sample = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    foreign = sample[:, None] != sample[None]
    return Block(start, start, start + len(sample), _mask(foreign, groups, dtype))


def _cut(first: int, length: int, groups: int, dtype: torch.dtype) -> list[Block]:
    """The blocks of one long sample, the last queries first, all but the last equally long."""
    count = min(MOST_BLOCKS, -(-length // BLOCK))
    size = -(-length // count)
    starts = range(first, first + length, size)
    spans = [(start, min(start + size, first + length)) for start in starts]
    found = []
    for start, end in reversed(spans):
        none = torch.zeros(end - start, end - start, dtype=torch.bool)
        found.append(Block(first, start, end, _mask(none, groups, dtype)))
    return found


def _mask(foreign: Tensor, groups: int, dtype: torch.dtype) -> Tensor:
    """-inf for the future and for `foreign` keys; a row for each query head of a group."""
    hidden = foreign | torch.ones_like(foreign).triu_(1)
    mask = torch.zeros(hidden.shape, dtype=dtype).masked_fill_(hidden, float("-inf"))
    return mask.repeat_interleave(groups, dim=0)


def _queries(states: Tensor, block: Block) -> Tensor:
    """[key heads, tokens · groups, d] of [key heads, n, groups, d]."""
    part = states[:, block.start : block.end]
    return part.reshape(part.shape[0], -1, part.shape[-1])


def _weights(query: Tensor, key: Tensor, block: Block) -> Tensor:
    scores = torch.bmm(query, key.transpose(1, 2))
    scores[..., block.start - block.first :].add_(block.mask)
    return torch.softmax(scores, dim=-1)


def forward(
    query: Tensor, key: Tensor, value: Tensor, row: tuple[Block, ...], out: Tensor
) -> list[Tensor | None]:
    """Writes into `out` [key heads, n, groups, d]; returns the weights of each block, if kept.

    `query` [key heads, n, groups, d] is scaled already; `key` and `value` [key heads, n, d].
    """
    kept: list[Tensor | None] = []
    for block in row:
        keys, values = key[:, block.first : block.end], value[:, block.first : block.end]
        weights = _weights(_queries(query, block), keys, block)
        target = out[:, block.start : block.end]
        target.copy_(torch.bmm(weights, values).view(target.shape))
        kept.append(weights if block.end - block.first <= KEPT else None)
    return kept


def backward(
    d_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    kept: list[Tensor | None],
    row: tuple[Block, ...],
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `query`, `key`, `value`, in their shapes."""
    d_query, d_key, d_value = (torch.empty_like(t) for t in (query, key, value))
    reached = 0
    for block, weights in zip(row, kept, strict=True):
        keys, values = key[:, block.first : block.end], value[:, block.first : block.end]
        queries, push = _queries(query, block), _queries(d_out, block)
        if weights is None:
            weights = _weights(queries, keys, block)
        d_weights = torch.bmm(push, values.transpose(1, 2))
        d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype)
        target = d_query[:, block.start : block.end]
        target.copy_(torch.bmm(d_scores, keys).view(target.shape))
        # The first block met of a sample is its last and covers all its keys.
        first = block.end > reached
        reached = max(reached, block.end)
        for whole, left, right in ((d_key, d_scores, queries), (d_value, weights, push)):
            part = whole[:, block.first : block.end]
            found = torch.bmm(left.transpose(1, 2), right)
            if first:
                part.copy_(found)
            else:
                part.add_(found)
    return d_query, d_key, d_value
