"""Order, split, packing and ledger: pure functions that a resume relies on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import pstdev
from typing import Any

import pytest
import torch

from training_engine.data import ledger
from training_engine.data.encode import EncodedSet
from training_engine.data.order import SampleOrder, held_out, permutation
from training_engine.data.packing import PackedRow, Size, ahead, pack, sizes, split, tokens_of
from training_engine.data.samples import Form


def test_an_epoch_is_a_permutation_that_seed_and_epoch_decide() -> None:
    first = permutation(1, 0, 50)
    assert sorted(first) == list(range(50))
    assert first == permutation(1, 0, 50)
    assert first != permutation(1, 1, 50)
    assert first != permutation(2, 0, 50)


def test_the_order_is_the_same_on_every_machine() -> None:
    assert permutation(42, 0, 8) == [5, 0, 7, 4, 6, 2, 3, 1]
    assert permutation(42, 3, 6) == [1, 0, 4, 5, 2, 3]
    assert held_out(42, 40, 0.1) == {13, 14, 20, 33}


def test_any_stretch_of_the_stream_can_be_read() -> None:
    lengths = [5, 9, 2, 7, 7, 1, 30, 4, 6, 8]
    whole = SampleOrder(7, lengths, 4).take(0, 35)
    assert sorted(whole[:10]) == sorted(whole[10:20]) == list(range(10))
    for start in (0, 3, 9, 10, 17, 29):
        assert SampleOrder(7, lengths, 4).take(start, 6) == whole[start : start + 6]


@pytest.mark.parametrize("size", [24, 26, 27])
def test_every_step_gets_short_and_long_samples(size: int) -> None:
    lengths = [2**i for i in range(size)]
    order = SampleOrder(3, lengths, 4)
    epochs = 3
    taken = order.take(0, epochs * size)
    steps = [taken[i : i + 4] for i in range(0, len(taken) - 3, 4)]
    for step, samples in enumerate(steps):
        if len({(step * 4 + i) // size for i in range(4)}) == 1:  # of one epoch
            short = sum(sample < size // 2 for sample in samples)
            assert short == 2 or (size % 4 and short in (1, 3)), (step, samples)
    for epoch in range(epochs):
        assert sorted(taken[epoch * size : (epoch + 1) * size]) == list(range(size))
    assert len({tuple(sorted(samples)) for samples in steps}) > len(steps) * 0.9


def test_steps_hold_about_equally_many_tokens() -> None:
    lengths = [10 + (i * 37) % 500 for i in range(400)]
    order = SampleOrder(1, lengths, 8)
    held = [sum(lengths[i] for i in order.take(8 * step, 8)) for step in range(50)]
    shuffled = permutation(1, 0, 400)
    plain = [sum(lengths[i] for i in shuffled[8 * step : 8 * step + 8]) for step in range(50)]
    assert pstdev(held) < 0.25 * pstdev(plain)


@pytest.mark.parametrize(("size", "batch"), [(1, 1), (1, 8), (5, 8), (8, 8), (9, 1), (9, 200)])
def test_fewer_samples_than_a_step_has(size: int, batch: int) -> None:
    taken = SampleOrder(2, [7] * size, batch).take(0, 3 * size)
    for epoch in range(3):
        assert sorted(taken[epoch * size : (epoch + 1) * size]) == list(range(size))


@pytest.mark.parametrize(
    ("rows", "fraction", "expected"), [(100, 0.05, 5), (12, 0.05, 1), (9, 0.05, 0), (50, 0, 0)]
)
def test_how_many_are_held_out(rows: int, fraction: float, expected: int) -> None:
    chosen = held_out(3, rows, fraction)
    assert len(chosen) == expected
    assert chosen == held_out(3, rows, fraction)
    assert chosen <= set(range(rows))


def data(*lengths: int) -> EncodedSet:
    total = sum(lengths)
    bounds = [0]
    for length in lengths:
        bounds.append(bounds[-1] + length)
    trained = torch.zeros(total, dtype=torch.bool)
    for end in bounds[1:]:
        trained[end - 2 : end] = True
    tokens = torch.arange(total, dtype=torch.int32)
    return EncodedSet(tokens, trained, bounds, list(range(len(lengths))))


def test_a_packed_row() -> None:
    row = pack(data(3, 5, 4), [2, 0])
    assert row.input_ids.tolist() == [[8, 9, 10, 0, 1]]
    assert row.position_ids.tolist() == [[0, 1, 2, 0, 1]]
    assert row.lengths == (3, 2)
    assert row.predicting.tolist() == [1, 2, 3, 4]
    assert row.targets.tolist() == [10, 11, 1, 2]
    assert row.trained_tokens == 4


def groups(found: EncodedSet, samples: Sequence[int], **limits: Any) -> list[list[int]]:
    return [[samples[i] for i in group] for group in split(sizes(found, samples), **limits)]


def test_batches_are_cut_by_samples_and_tokens() -> None:
    found, five = data(10, 10, 10, 30, 10), [0, 1, 2, 3, 4]
    assert groups(found, five, max_samples=2, max_tokens=1000) == [[0, 1], [2, 3], [4]]
    assert groups(found, five, max_samples=None, max_tokens=25) == [[0, 1], [2], [3], [4]]
    assert groups(found, [4, 0], max_samples=None, max_tokens=5) == [[4], [0]]


def test_batches_are_cut_evenly_into_as_few_parts_as_can_be() -> None:
    found = data(10, 10, 10, 10, 10, 10, 10, 10)
    whole = range(8)
    assert groups(found, whole, max_samples=None, max_tokens=50) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert groups(found, whole, max_samples=None, max_tokens=79) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert groups(found, whole, max_samples=None, max_tokens=80) == [[*whole]]
    assert groups(found, [], max_samples=None, max_tokens=80) == []


def test_what_neighbours_share_counts_once_in_each_part() -> None:
    found = data(*[60] * 4)
    for sample in range(4):
        found.text(sample)[:40] = torch.arange(40, dtype=torch.int32)
    found.text(3)[20] = -1  # shares 20 tokens only
    of_each = sizes(found, range(4), shared=True)
    assert of_each == [Size(60, 60), Size(60, 20), Size(60, 20), Size(60, 40)]
    assert tokens_of(of_each) == 140
    assert tokens_of(of_each[1:3]) == 80, "the first of a part computes all of its own"
    assert split(of_each, max_samples=None, max_tokens=100) == [range(3), range(3, 4)]
    assert split(of_each, max_samples=None, max_tokens=140) == [range(4)]
    assert sizes(found, range(4)) == [Size(60, 60)] * 4


def test_answers_of_one_sample_share_their_question() -> None:
    pairs = data(50, 30, 50, 45)
    pairs.form = Form(sequences=2)
    pairs.lines = [0, 1]
    for sequence in range(4):
        pairs.text(sequence)[:20] = torch.arange(20, dtype=torch.int32)
    assert sizes(pairs, [0, 1], shared=True) == [Size(60, 60), Size(75, 55)]


def test_the_ledger_is_carried_over_up_to_the_offset(tmp_path: Path) -> None:
    old, new = tmp_path / "old.bin", tmp_path / "new.bin"
    book = ledger.Ledger(old)
    assert book.offset == 0
    book.append([3, 1])
    offset = book.offset
    book.append([4, 1 << 40])
    book.sync()
    assert ledger.read(old) == [3, 1, 4, 1 << 40]
    assert ledger.carry_over(old, new, offset)
    assert ledger.read(new) == [3, 1]
    assert ledger.carry_over(old, old, offset)
    assert ledger.read(old) == [3, 1]
    assert not ledger.carry_over(old, new, 1000)
    assert not ledger.carry_over(tmp_path / "gone", new, 0)


@pytest.mark.parametrize(("device", "first"), [("cpu", 1), ("meta", 2)])
def test_on_a_gpu_the_next_row_is_sent_before_one_is_computed(device: str, first: int) -> None:
    made = []

    def rows() -> Iterator[PackedRow]:
        for sample in range(3):
            made.append(sample)
            yield pack(data(4, 3, 6), [sample])

    coming = ahead(rows(), torch.device(device))
    assert next(coming).samples == (0,)
    assert len(made) == first
    rest = list(coming)
    assert [row.samples for row in rest] == [(1,), (2,)]
    assert rest[1].input_ids.device.type == device
    assert rest[1].lengths == (5,)
