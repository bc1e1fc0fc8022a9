"""Attention by blocks is attention: against every token's own list of what it sees, in float64."""

import random
from itertools import accumulate

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.effort import examples
from training_engine.models.fast import attention
from training_engine.models.fast.attention import STEP, Block, Span, blocks

GROUPS, KEY_HEADS, SIZE = 3, 2, 8
Before = tuple[tuple[Span, ...], ...]


def followed(lengths: tuple[int, ...], seed: int) -> Before:
    """Some samples follow the beginning of one before them, and what that one follows."""
    chance = random.Random(seed)
    starts = [0, *accumulate(lengths)]
    found: list[tuple[Span, ...]] = []
    for place in range(len(lengths)):
        if place == 0 or chance.random() < 0.4:
            found.append(())
            continue
        other = max(0, place - chance.randint(1, 3))
        span = (starts[other], starts[other] + chance.randint(1, lengths[other]))
        found.append((*found[other], span))
    return tuple(found)


def seen(lengths: tuple[int, ...], before: Before) -> Tensor:
    """[n, n]: whether a token sees another."""
    total, start = sum(lengths), 0
    found = torch.zeros(total, total, dtype=torch.bool)
    for length, spans in zip(lengths, before, strict=True):
        own = slice(start, start + length)
        found[own, own] = torch.ones(length, length, dtype=torch.bool).tril()
        for span in spans:
            found[own, slice(*span)] = True
        start += length
    return found


def dense(query: Tensor, key: Tensor, value: Tensor, visible: Tensor) -> Tensor:
    scores = torch.einsum("hngd,hmd->hgnm", query, key).masked_fill(~visible, float("-inf"))
    return torch.einsum("hgnm,hmd->hngd", scores.softmax(dim=-1), value)


def check(lengths: tuple[int, ...], before: Before) -> None:
    torch.manual_seed(sum(lengths))
    total = sum(lengths)
    query, push = (
        torch.randn(KEY_HEADS, total, GROUPS, SIZE, dtype=torch.float64) for _ in range(2)
    )
    key, value = (torch.randn(KEY_HEADS, total, SIZE, dtype=torch.float64) for _ in range(2))
    row = blocks(lengths, GROUPS, torch.float64, before)
    out = torch.full_like(query, float("nan"))
    kept = attention.forward(query, key, value, row, out)
    found = attention.backward(push, query, key, value, kept, row)

    inputs = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
    expected = dense(inputs[0], inputs[1], inputs[2], seen(lengths, before))
    expected.backward(push)
    torch.testing.assert_close(out, expected.detach())
    # What is followed sums up gradients in float32.
    bounds = {"rtol": 1e-4, "atol": 1e-4} if any(before) else {}
    for gradient, tensor in zip(found, inputs, strict=True):
        torch.testing.assert_close(gradient, tensor.grad, **bounds)


@examples(60)
@given(
    lengths=st.lists(st.integers(1, 90) | st.integers(100, 400), min_size=1, max_size=9),
    seed=st.integers(0, 1000),
    shares=st.booleans(),
)
def test_it_is_attention(lengths: list[int], seed: int, shares: bool) -> None:
    row = tuple(lengths)
    check(row, followed(row, seed) if shares else ((),) * len(row))


@pytest.mark.parametrize("kept", [0, 10_000])
def test_weights_kept_or_computed_again(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "KEPT", kept)
    lengths = (40, 30, 300, 17, 90)
    check(lengths, followed(lengths, 3))


def test_a_pair_is_one_block_with_what_both_begin_with() -> None:
    """Two questions with two answers each: nothing is gathered from elsewhere."""
    before: Before = ((), ((0, 20),), (), ((50, 65),))
    row = blocks((35, 15, 30, 10), 1, torch.float32, before)
    assert [(block.learnt, block.before) for block in row] == [((0, 90), ())]


def sizes(block: Block) -> tuple[int, int]:
    """Of a block's products: queries and keys."""
    return block.queries[1] - block.queries[0], block.count


def test_rows_of_all_kinds_need_few_sizes() -> None:
    """A kernel is compiled for every size of queries and keys."""
    chance = random.Random(0)
    short, long = set[tuple[int, int]](), set[tuple[int, int]]()
    for seed in range(50):
        lengths = tuple(chance.randint(20, 120) for _ in range(16))
        for before in (None, followed(lengths, seed)):
            row = blocks(lengths, 1, torch.float32, before)
            # The first blocks of a row have nothing in front of them to round up with.
            short |= {sizes(block) for block in row if block.queries[0] >= STEP}
        lengths = (50, chance.randint(1500, 2000))
        row = blocks(lengths, 1, torch.float32)
        long |= {sizes(block) for block in row}
    assert all(queries % STEP == 0 and keys % STEP == 0 for queries, keys in short)
    # Samples that follow others meet longer keys, in steps as well.
    assert len(short) < 60
    assert len(long) < 40


def test_rows_shorter_than_a_step_are_taken_as_they_are() -> None:
    (block,) = blocks((3, 4), 1, torch.float32)
    assert (block.queries, block.keys, block.rounded) == ((0, 7), (0, 7), False)
