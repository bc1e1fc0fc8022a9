"""Beginnings that sequences have in common are computed once.

What a causal model makes of a token depends on the tokens before it and on nothing else. So texts
that begin alike (a system prompt; a question before its better and its worse answer) have the same
states there: a row keeps that beginning once, and what follows attends to it from every text. The
sum of the gradients is the one that each text would have given by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from training_engine.limits import SHORTEST_BEGINNING

if TYPE_CHECKING:
    from training_engine.data.packing import PackedRow

Span = tuple[int, int]


@dataclass(frozen=True)
class SharedRow:
    """A row whose texts keep only what is new in them, in an order that puts alike ones together.

    `input_ids`, `position_ids` [1, m]; `lengths` of the parts, adding up to m. Part i follows what
    stands in the spans `before[i]` (start and end in this row), which belong to earlier parts.
    `place` [n]: where each token of the whole row is found.
    """

    input_ids: Tensor
    position_ids: Tensor
    lengths: tuple[int, ...]
    before: tuple[tuple[Span, ...], ...]
    place: Tensor


def common(first: Tensor, second: Tensor) -> int:
    """How many tokens two texts [n], [m] have in common at the beginning; 0 if they are few."""
    shorter = min(len(first), len(second))
    differ = (first[:shorter] != second[:shorter]).nonzero()
    found = int(differ[0]) if len(differ) else shorter
    return found if found >= SHORTEST_BEGINNING else 0


def sorting_key(text: Tensor) -> bytes:
    """Sorts texts [n] so that those which begin alike are neighbours."""
    key: bytes = text.numpy().astype(">u4").tobytes()
    return key


def share(row: PackedRow) -> SharedRow | None:
    """The row with every beginning once; None where nothing is shared."""
    texts = row.input_ids[0].split(row.lengths)
    keys = [sorting_key(text) for text in texts]
    path: list[Span] = []  # where the tokens of the latest text are
    paths: list[list[Span]] = [[] for _ in texts]
    parts: list[tuple[int, int, tuple[Span, ...]]] = []  # text, first new token, what it follows
    latest, used = texts[0][:0], 0
    for index in sorted(range(len(texts)), key=keys.__getitem__):
        text = texts[index]
        known = common(latest, text)
        path = _shortened(path, known)
        if new := len(text) - known:
            parts.append((index, known, tuple(path)))
            path = [*path, (used, used + new)]
            used += new
        latest, paths[index] = text, path
    if used == row.input_ids.shape[1]:
        return None
    return SharedRow(
        input_ids=torch.cat([texts[index][known:] for index, known, _ in parts])[None],
        position_ids=torch.cat([torch.arange(k, len(texts[i])) for i, k, _ in parts])[None],
        lengths=tuple(len(texts[index]) - known for index, known, _ in parts),
        before=tuple(spans for _, _, spans in parts),
        place=torch.cat([torch.arange(*span) for path in paths for span in path]),
    )


def _shortened(path: list[Span], tokens: int) -> list[Span]:
    """The first tokens of a path."""
    kept: list[Span] = []
    for start, end in path:
        if tokens <= 0:
            break
        kept.append((start, min(end, start + tokens)))
        tokens -= end - start
    return kept
