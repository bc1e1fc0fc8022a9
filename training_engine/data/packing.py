"""Samples laid end to end in one row: no padding, so linear layers see only real tokens.

Attention is kept inside each sequence by its length (`models/attention.py`), positions restart at
each. Where tokens are predicted, the last one of a sequence is no input: nothing is learnt from
what follows it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from training_engine.data.beginnings import common
from training_engine.data.encode import EncodedSet


@dataclass(frozen=True)
class PackedRow:
    """One forward pass.

    `input_ids`, `position_ids` [1, n]; `lengths` of the sequences in it, adding up to n. The hidden
    state at `predicting[i]` [k] is to predict token `targets[i]` [k], which belongs to sequence
    `owner[i]` [k] of the row: only trained positions. Objectives that read a text whole have the
    last position of each sequence in `predicting` and no targets. `labels` by sample, `reference`
    by sequence.
    """

    input_ids: Tensor
    position_ids: Tensor
    lengths: tuple[int, ...]
    predicting: Tensor
    targets: Tensor
    owner: Tensor
    samples: tuple[int, ...]
    labels: Tensor | None = None
    reference: Tensor | None = None

    @property
    def trained_tokens(self) -> int:
        """Tokens that count in the loss."""
        return int(self.targets.numel())

    def to(self, device: torch.device) -> "PackedRow":
        """The same row on `device`; a GPU fetches it by itself, nobody waits for it."""
        if device.type == "cpu":
            return self
        pins = device.type == "cuda"  # from other memory the copy would be waited for
        moved = {
            name: (value.pin_memory() if pins else value).to(device, non_blocking=True)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **moved)


def ahead(rows: Iterable[PackedRow], device: torch.device) -> Iterator[PackedRow]:
    """The rows on `device`. On a GPU the next is packed and sent before one is computed with.

    So that the GPU finds it there, whatever the host then waits for.
    """
    coming: list[PackedRow] = []
    for row in rows:
        coming.append(row.to(device))
        if len(coming) > (device.type != "cpu"):
            yield coming.pop(0)
    yield from coming


def only(row: PackedRow, which: int) -> PackedRow:
    """The row of samples with two sequences without its other ones: first (0) or second (1)."""
    wanted = [place % 2 == which for place in range(len(row.lengths))]
    inside = torch.tensor(wanted).repeat_interleave(torch.tensor(row.lengths))
    inside = inside.to(row.input_ids.device)
    kept = inside[row.predicting]
    moved = inside.long().cumsum(0) - 1
    return replace(
        row,
        input_ids=row.input_ids[:, inside],
        position_ids=row.position_ids[:, inside],
        lengths=row.lengths[which::2],
        predicting=moved[row.predicting[kept]],
        targets=row.targets[kept],
        owner=row.owner[kept] // 2,
        reference=None if row.reference is None else row.reference[which::2],
    )


def pack(data: EncodedSet, samples: Sequence[int]) -> PackedRow:
    """Lay the given samples into one row."""
    inputs, positions, predicting, targets, owner, lengths = [], [], [], [], [], []
    shift = 1 if data.form.predicts and not data.form.target else 0
    start = 0
    sequences = [sequence for sample in samples for sequence in data.sequences(sample)]
    for place, sequence in enumerate(sequences):
        begin, end = data.bounds[sequence], data.bounds[sequence + 1]
        tokens, length = data.tokens[begin:end], end - begin - shift
        inputs.append(tokens[:length])
        positions.append(torch.arange(length))
        if shift:
            trained = data.trained[begin + 1 : end]
            predicting.append(trained.nonzero().squeeze(1) + start)
            targets.append(tokens[1:][trained])
        else:
            predicting.append(torch.tensor([start + length - 1]))
            targets.append(tokens[:0])
        owner.append(torch.full((len(targets[-1]),), place))
        lengths.append(length)
        start += length
    return PackedRow(
        input_ids=torch.cat(inputs).long().unsqueeze(0),
        position_ids=torch.cat(positions).unsqueeze(0),
        lengths=tuple(lengths),
        predicting=torch.cat(predicting),
        targets=torch.cat(targets).long(),
        owner=torch.cat(owner),
        samples=tuple(samples),
        labels=None if data.labels is None else data.labels[list(samples)],
        reference=None if data.reference is None else data.reference[sequences],
    )


@dataclass(frozen=True)
class Size:
    """Tokens of a sample: all of them, and those to compute when it stands behind its neighbour."""

    whole: int
    new: int


def sizes(data: EncodedSet, samples: Sequence[int], *, shared: bool = False) -> list[Size]:
    """Sizes of samples in this order; where beginnings are `shared`, each is computed once."""
    if not shared:
        return [Size(data.length(sample), data.length(sample)) for sample in samples]
    found: list[Size] = []
    before = data.tokens[:0]
    for sample in samples:
        texts = [data.text(sequence) for sequence in data.sequences(sample)]
        first = texts[0]
        whole = len(first) + sum(len(text) - common(first, text) for text in texts[1:])
        found.append(Size(whole, whole - common(before, first)))
        before = first
    return found


def tokens_of(row: Sequence[Size]) -> int:
    """Tokens to compute when these samples are one row."""
    return sum(size.new if place else size.whole for place, size in enumerate(row))


def split(sizes: Sequence[Size], *, max_samples: int | None, max_tokens: int) -> list[range]:
    """Cut a batch into micro-batches of at most `max_samples`, and `max_tokens` where possible.

    Places of samples; as few micro-batches as can be in this order, and of them the most even: a
    small rest costs more than its tokens.
    """
    found = _cut(sizes, max_samples, max_tokens)
    least = 1
    most = min(max_tokens, tokens_of(sizes))
    while least < most:
        middle = (least + most) // 2
        tried = _cut(sizes, max_samples, middle)
        if len(tried) > len(found):
            least = middle + 1
        else:
            found, most = tried, middle
    return found


def _cut(sizes: Sequence[Size], max_samples: int | None, max_tokens: int) -> list[range]:
    found: list[range] = []
    tokens = 0
    for place, size in enumerate(sizes):
        full = max_samples is not None and bool(found) and len(found[-1]) >= max_samples
        if not found or full or tokens + size.new > max_tokens:
            found.append(range(place, place))
            tokens = size.whole - size.new
        found[-1] = range(found[-1].start, place + 1)
        tokens += size.new
    return found
