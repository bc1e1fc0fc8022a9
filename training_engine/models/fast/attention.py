"""Causal attention inside the samples of a packed row, as blocks of matrix products.

Short samples that follow each other share a block whose mask keeps them apart; a long sample is
cut into blocks of queries that meet only the keys before their end. So every product is large
enough for a processor's matrix units, and little of it is masked away. A sample whose beginning is
kept elsewhere in the row (`data/beginnings.py`) meets it in its own block, or meets it first.

Blocks are rounded up to few sizes. oneDNN compiles a kernel for every size it meets and keeps some
(`tuning.KERNEL_CACHES`); when a layer has more of them, each is compiled again in every layer: a
step of DPO took half as long again (measured).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

# Samples share a block up to this many tokens; longer ones are cut into blocks of so many.
BLOCK = 128
# Queries and keys of a block are a multiple of this, where the row is long enough.
STEP = 32
# A long sample is cut into no more blocks than this: gradients of keys are summed over them in the
# states' own type.
MOST_BLOCKS = 8
# Attention weights are kept for the backward pass up to so many keys, beyond computed again.
KEPT = 640

Span = tuple[int, int]
Sample = tuple[int, tuple[Span, ...]]  # tokens, what they follow


@dataclass(frozen=True)
class Block:
    """Queries of a row against keys of it; spans are start and end, in tokens of the row.

    `learnt`: the queries, of those in `queries`, that are computed here: the others round up.
    `met`: the keys, of those in `keys`, that they may see. Both end where `learnt` does.
    `mask` [queries · groups, k] is 0 or -inf for the last k of `keys`; the first `hidden` of them
    are seen by nobody. The keys of the spans `before` come before all these, seen by all.
    """

    queries: Span
    learnt: Span
    keys: Span
    met: Span
    mask: Tensor
    hidden: int = 0
    before: tuple[Span, ...] = ()

    @property
    def count(self) -> int:
        """Keys that are multiplied with."""
        return self.keys[1] - self.keys[0] + tokens_in(self.before)

    @property
    def rounded(self) -> bool:
        """Whether there are queries that round up."""
        return self.queries != self.learnt

    def gather(self, states: Tensor) -> Tensor:
        """What is met of [key heads, n, d]."""
        own = states[:, slice(*self.keys)]
        if not self.before:
            return own
        return torch.cat([*(states[:, slice(*span)] for span in self.before), own], dim=1)

    def pick(self, found: Tensor) -> Tensor:
        """Of results for all queries [key heads, queries, groups, d], those that are learnt."""
        start = self.queries[0]
        return found[:, self.learnt[0] - start : self.learnt[1] - start]


def tokens_in(spans: Iterable[Span]) -> int:
    """How many tokens spans have together."""
    return sum(end - start for start, end in spans)


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
    total, start = sum(lengths), 0
    begun, waiting = 0, list[Sample]()

    def share() -> None:
        if waiting:
            found.append(_shared(begun, waiting, total, groups, dtype))
            waiting.clear()

    for length, spans in zip(lengths, before or ((),) * len(lengths), strict=True):
        # What stands in the block itself need not be met before it.
        elsewhere = tuple(span for span in spans if span[0] < begun)
        if not waiting or start + length - begun > BLOCK or elsewhere != waiting[0][1]:
            share()
            begun = start
        if length <= BLOCK:
            waiting.append((length, spans))
        else:
            found += _cut(start, length, spans, total, groups, dtype)
        start += length
    share()
    return tuple(found)


def _shared(
    start: int, samples: list[Sample], total: int, groups: int, dtype: torch.dtype
) -> Block:
    """One block for whole samples that begin at `start`; what the first follows, all follow."""
    before = samples[0][1]
    learnt = (start, start + sum(length for length, _ in samples))
    queries = _rounded(learnt, total)
    more = -(queries[1] - queries[0] + tokens_in(before)) % STEP
    keys = (queries[0] - more if more <= queries[0] else queries[0], queries[1])
    # Which sample a key belongs to; keys that round up belong together.
    owner = torch.full((keys[1] - keys[0],), -1)
    place = start - keys[0]
    owner[place : place + learnt[1] - start] = torch.repeat_interleave(
        torch.arange(len(samples)), torch.tensor([length for length, _ in samples])
    )
    foreign = owner[queries[0] - keys[0] :, None] != owner[None]
    for length, spans in samples:
        rows = slice(start - queries[0], start - queries[0] + length)
        for first, last in spans:
            if first >= learnt[0]:
                foreign[rows, first - keys[0] : last - keys[0]] = False
        start += length
    mask = _mask(foreign, groups, dtype)
    return Block(queries, learnt, keys, learnt, mask, before=before)


def _cut(
    first: int,
    length: int,
    before: tuple[Span, ...],
    total: int,
    groups: int,
    dtype: torch.dtype,
) -> list[Block]:
    """The blocks of one long sample, the last queries first, all but the last equally long."""
    count = min(MOST_BLOCKS, -(-length // BLOCK))
    size = _up(-(-length // count))
    end = first + length
    found = []
    for start in reversed(range(first, end, size)):
        learnt = (start, min(start + size, end))
        queries = _rounded(learnt, total)
        more = -(queries[1] - first + tokens_in(before)) % STEP
        more = more if more <= first else 0
        keys = (first - more, queries[1])
        none = torch.zeros(queries[1] - queries[0], queries[1] - queries[0], dtype=torch.bool)
        mask = _mask(none, groups, dtype)
        found.append(Block(queries, learnt, keys, (first, learnt[1]), mask, more, before))
    return found


def _up(tokens: int) -> int:
    return -(-tokens // STEP) * STEP


def _rounded(span: Span, total: int) -> Span:
    """A span of a size that occurs often; tokens in front are added, or those that follow."""
    size = _up(span[1] - span[0])
    start = max(0, span[1] - size)
    return (start, start + size) if start + size <= total else span


def _mask(foreign: Tensor, groups: int, dtype: torch.dtype) -> Tensor:
    """-inf for the future and for `foreign` keys; a row for each query head of a group.

    `foreign` [queries, keys], of which the last keys are those of the queries.
    """
    queries, keys = foreign.shape
    hidden = foreign | torch.ones_like(foreign).triu_(1 + keys - queries)
    mask = torch.zeros(hidden.shape, dtype=dtype).masked_fill_(hidden, float("-inf"))
    return mask.repeat_interleave(groups, dim=0)


def _queries(states: Tensor, block: Block) -> Tensor:
    """[key heads, tokens · groups, d] of [key heads, n, groups, d]."""
    part = states[:, slice(*block.queries)]
    return part.reshape(part.shape[0], -1, part.shape[-1])


def _push(d_out: Tensor, block: Block) -> Tensor:
    """The same of gradients; queries that round up push nothing."""
    found = _queries(d_out, block)
    if not block.rounded:
        return found
    found = torch.zeros_like(found)
    whole = found.view(found.shape[0], -1, *d_out.shape[2:])
    block.pick(whole).copy_(d_out[:, slice(*block.learnt)])
    return found


def _weights(query: Tensor, key: Tensor, block: Block) -> Tensor:
    scores = torch.bmm(query, key.transpose(1, 2))
    scores[..., -block.mask.shape[1] :].add_(block.mask)
    if block.hidden:
        place = tokens_in(block.before)
        scores[..., place : place + block.hidden] = float("-inf")
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
        found = torch.bmm(weights, block.gather(value))
        _put(out, found, block)
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
        queries, push = _queries(query, block), _push(d_out, block)
        if weights is None:
            weights = _weights(queries, keys, block)
        d_weights = torch.bmm(push, values.transpose(1, 2))
        d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype)
        _put(d_query, torch.bmm(d_scores, keys), block)
        # The first block met of a sample is its last and covers all its keys.
        first = block.met[1] > reached
        reached = max(reached, block.met[1])
        _add(d_key, torch.bmm(d_scores.transpose(1, 2), queries), block, first)
        _add(d_value, torch.bmm(weights.transpose(1, 2), push), block, first)
    return d_query, d_key.to(key.dtype), d_value.to(value.dtype)


def _put(whole: Tensor, found: Tensor, block: Block) -> None:
    """Put what was found for a block's queries where it belongs in [key heads, n, groups, d]."""
    part = found.view(found.shape[0], -1, *whole.shape[2:])
    whole[:, slice(*block.learnt)].copy_(block.pick(part))


def _add(whole: Tensor, found: Tensor, block: Block, first: bool) -> None:
    """Add the gradients of what a block met into those of all; its own are put there if `first`."""
    reached = 0
    for start, end in block.before:
        whole[:, start:end].add_(found[:, reached : reached + end - start])
        reached += end - start
    reached += block.met[0] - block.keys[0]
    own = whole[:, slice(*block.met)]
    found = found[:, reached : reached + own.shape[1]]
    if first:
        own.copy_(found)
    else:
        own.add_(found)
