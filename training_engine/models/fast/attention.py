"""Causal attention inside the samples of a packed row, as blocks of matrix products.

Short samples that follow each other share a block whose mask keeps them apart; a long sample is
cut into blocks of queries that meet only the keys before their end. So every product is large
enough for a processor's matrix units, and little of it is masked away. A sample whose beginning is
kept elsewhere in the row (`data/beginnings.py`) meets those keys first.
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

Span = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """Queries `start` … `end` of a row against keys `first` … `end`; the last ones are masked.

    `mask` [(end - start) · groups, end - start] is 0 or -inf. The keys of the spans `before` come
    first and are seen by all.
    """

    first: int
    start: int
    end: int
    mask: Tensor
    before: tuple[Span, ...] = ()

    @property
    def count(self) -> int:
        """Keys that are met."""
        return self.end - self.first + sum(end - start for start, end in self.before)

    def gather(self, states: Tensor) -> Tensor:
        """What is met of [key heads, n, d]."""
        own = states[:, self.first : self.end]
        if not self.before:
            return own
        return torch.cat([*(states[:, start:end] for start, end in self.before), own], dim=1)


@lru_cache(maxsize=4)
def blocks(
    lengths: tuple[int, ...],
    groups: int,
    dtype: torch.dtype,
    before: tuple[tuple[Span, ...], ...] | None = None,
) -> tuple[Block, ...]:
    """The blocks of a row of samples of these lengths; later blocks of a sample come first.

    `before`: of each sample, what it follows, if any does.
    """
    found: list[Block] = []
    start, waiting = 0, list[int]()
    follows: tuple[Span, ...] = ()  # what those that wait follow
    for length, spans in zip(lengths, before or ((),) * len(lengths), strict=True):
        if waiting and (sum(waiting) + length > BLOCK or spans != follows):
            found.append(_shared(start - sum(waiting), waiting, groups, dtype, follows))
            waiting = []
        if length <= BLOCK:
            waiting.append(length)
            follows = spans
        else:
            found += _cut(start, length, groups, dtype, spans)
        start += length
    if waiting:
        found.append(_shared(start - sum(waiting), waiting, groups, dtype, follows))
    return tuple(found)


def _shared(
    start: int, lengths: list[int], groups: int, dtype: torch.dtype, before: tuple[Span, ...]
) -> Block:
    """One block for whole samples."""
    sample = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    foreign = sample[:, None] != sample[None]
    return Block(start, start, start + len(sample), _mask(foreign, groups, dtype), before)


def _cut(
    first: int, length: int, groups: int, dtype: torch.dtype, before: tuple[Span, ...]
) -> list[Block]:
    """The blocks of one long sample, the last queries first, all but the last equally long."""
    count = min(MOST_BLOCKS, -(-length // BLOCK))
    size = -(-length // count)
    starts = range(first, first + length, size)
    spans = [(start, min(start + size, first + length)) for start in starts]
    found = []
    for start, end in reversed(spans):
        none = torch.zeros(end - start, end - start, dtype=torch.bool)
        found.append(Block(first, start, end, _mask(none, groups, dtype), before))
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
    scores[..., block.count - (block.end - block.start) :].add_(block.mask)
    return torch.softmax(scores, dim=-1)


def forward(
    query: Tensor, key: Tensor, value: Tensor, row: tuple[Block, ...], out: Tensor
) -> list[Tensor | None]:
    """Writes into `out` [key heads, n, groups, d]; returns the weights of each block, if kept.

    `query` [key heads, n, groups, d] is scaled already; `key` and `value` [key heads, n, d].
    """
    kept: list[Tensor | None] = []
    for block in row:
        weights = _weights(_queries(query, block), block.gather(key), block)
        target = out[:, block.start : block.end]
        target.copy_(torch.bmm(weights, block.gather(value)).view(target.shape))
        kept.append(weights if block.count <= KEPT else None)
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
    d_query = torch.empty_like(query)
    # What many samples follow sums up the gradients of them all.
    exact = torch.float32 if any(block.before for block in row) else key.dtype
    d_key, d_value = (torch.empty_like(t, dtype=exact) for t in (key, value))
    reached = 0
    for block, weights in zip(row, kept, strict=True):
        keys, values = block.gather(key), block.gather(value)
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
        _add(d_key, torch.bmm(d_scores.transpose(1, 2), queries), block, first)
        _add(d_value, torch.bmm(weights.transpose(1, 2), push), block, first)
    return d_query, d_key.to(key.dtype), d_value.to(value.dtype)


def _add(whole: Tensor, found: Tensor, block: Block, first: bool) -> None:
    """Add the gradients of what a block met into those of all; its own are put there if `first`."""
    reached = 0
    for start, end in block.before:
        whole[:, start:end].add_(found[:, reached : reached + end - start])
        reached += end - start
    own = whole[:, block.first : block.end]
    if first:
        own.copy_(found[:, reached:])
    else:
        own.add_(found[:, reached:])
