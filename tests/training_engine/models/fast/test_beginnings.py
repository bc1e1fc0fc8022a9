"""Beginnings that texts share are computed once, and nothing else changes."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.training_engine.models.fast.test_equality import FAMILIES, assert_near, make
from training_engine.data.beginnings import share
from training_engine.data.packing import PackedRow
from training_engine.limits import SHORTEST_BEGINNING
from training_engine.models import fast
from training_engine.models.fast import attention as fast_attention
from training_engine.models.forward import Decoder


def row_of(texts: list[list[int]], last: int = 3) -> PackedRow:
    """A packed row whose texts learn their `last` tokens."""
    lengths = [len(text) - 1 for text in texts]
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    predicting = [
        list(range(start + max(0, length - last), start + length))
        for start, length in zip(starts, lengths, strict=True)
    ]
    return PackedRow(
        input_ids=torch.tensor([[token for text in texts for token in text[:-1]]]),
        position_ids=torch.cat([torch.arange(n) for n in lengths])[None],
        lengths=tuple(lengths),
        predicting=torch.tensor([place for part in predicting for place in part]),
        targets=torch.tensor([token for text in texts for token in text[1:][-last:]]),
        owner=torch.tensor([i for i, part in enumerate(predicting) for _ in part]),
        samples=tuple(range(len(texts))),
    )


def tokens(seed: int, count: int) -> list[int]:
    """Random tokens of the tiny models' vocabulary."""
    generator = torch.Generator().manual_seed(seed)
    found: list[int] = torch.randint(3, 99, (count,), generator=generator).tolist()
    return found


SYSTEM, QUESTION = tokens(0, 40), tokens(1, 150)
ROWS = {
    "one system prompt": [SYSTEM + tokens(10 + i, 5 + 30 * i) for i in range(5)],
    "two answers to each question": [
        SYSTEM + tokens(20 + i // 2, 60) + tokens(30 + i, 9) for i in range(6)
    ],
    "a beginning longer than a block": [
        SYSTEM + QUESTION + tokens(40 + i, 20 + 100 * (i == 1)) for i in range(4)
    ],
    "one begins where another ends": [
        SYSTEM, SYSTEM + QUESTION, SYSTEM + QUESTION + tokens(50, 200), tokens(51, 30),
    ],
    "the same text twice": [SYSTEM + tokens(60, 20)] * 2 + [tokens(61, 12)],
    "too little in common": [
        SYSTEM[: SHORTEST_BEGINNING - 1] + tokens(70 + i, 20) for i in range(3)
    ],
}  # fmt: skip


def learnt(model: Any, row: PackedRow) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss and gradients of the adapters."""
    loss = Decoder(model, packed=True).cross_entropy(row)
    loss.backward()
    return loss.detach(), {n: p.grad for n, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("name", list(ROWS))
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_loss_and_gradients_are_those_of_every_text_whole(family: str, name: str) -> None:
    stock, row = make(family, max_position_embeddings=1024), row_of(ROWS[name])
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    assert fast.shares(quick, max(row.lengths))
    assert not fast.shares(stock, max(row.lengths))
    (wanted, expected), (got, actual) = learnt(stock, row), learnt(quick, row)
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-4)
    assert_near(actual, expected)


@pytest.mark.parametrize("name", list(ROWS))
def test_every_token_is_found_behind_what_came_before_it(name: str) -> None:
    row = row_of(ROWS[name])
    alike = share(row)
    if name == "too little in common":
        assert alike is None
        return
    assert alike is not None
    assert alike.input_ids.shape == alike.position_ids.shape == (1, sum(alike.lengths))
    assert torch.equal(alike.input_ids[0][alike.place], row.input_ids[0])
    assert torch.equal(alike.position_ids[0][alike.place], row.position_ids[0])
    start = 0
    for length, spans in zip(alike.lengths, alike.before, strict=True):
        assert all(begin < end <= start for begin, end in spans), "only what stands before"
        assert int(alike.position_ids[0, start]) == sum(end - begin for begin, end in spans)
        start += length


def test_what_is_computed_shrinks_by_what_is_shared() -> None:
    row = row_of(ROWS["one system prompt"])
    alike = share(row)
    assert alike is not None
    # By chance texts may have a token more in common.
    assert 0 <= sum(row.lengths) - sum(alike.lengths) - 4 * len(SYSTEM) <= 4
    pairs = share(row_of(ROWS["two answers to each question"]))
    assert pairs is not None
    assert 0 <= len(SYSTEM) + 3 * 60 + 6 * 8 - sum(pairs.lengths) <= 5


def test_in_bf16_it_is_no_further_from_the_truth_than_whole_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forty texts add up their gradients for what they follow."""
    exact = make("llama")
    row = row_of([SYSTEM + tokens(100 + i, 12) for i in range(40)])
    whole, alike = (copy.deepcopy(exact).bfloat16() for _ in range(2))
    assert fast.install(whole)
    assert fast.install(alike)
    _, truth = learnt(exact, row)
    _, ours = learnt(alike, row)
    monkeypatch.setattr(Decoder, "shares", lambda *_: False)
    _, theirs = learnt(whole, row)
    for name, gradient in truth.items():
        near, far = ((found[name].float() - gradient).norm() for found in (ours, theirs))
        assert near < 1.5 * far + 0.01 * gradient.norm(), name


def test_log_probabilities_of_answers_belong_to_their_own_text() -> None:
    stock, row = make("qwen3"), row_of(ROWS["two answers to each question"], last=8)
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    wanted, got = (Decoder(model, packed=True).sequence_log_probs(row) for model in (stock, quick))
    for theirs, ours in zip(wanted, got, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert got[1].tolist() == [8] * 6


def test_weights_that_are_computed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of(ROWS["a beginning longer than a block"])
    kept = make("llama")
    again = copy.deepcopy(kept)
    assert fast.install(kept)
    assert fast.install(again)
    (wanted, expected) = learnt(kept, row)
    monkeypatch.setattr(fast_attention, "KEPT", 100)
    (got, actual) = learnt(again, row)
    assert torch.equal(got, wanted)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient)


def test_noise_and_short_windows_keep_texts_whole() -> None:
    model = make("mistral", sliding_window=100)
    assert fast.install(model)
    assert fast.shares(model, 100)
    assert not fast.shares(model, 101)
    assert Decoder(model, packed=True).shares(100)
    assert not Decoder(model, packed=True, neftune=5.0).shares(100)
    assert not Decoder(model, packed=False).shares(100)


def test_stock_layers_refuse_what_they_would_compute_wrong() -> None:
    model, row = make("mistral", sliding_window=8), row_of(ROWS["one system prompt"])
    assert fast.install(model)
    alike = share(row)
    assert alike is not None
    with pytest.raises(ValueError, match="share"):
        model.get_decoder()(
            input_ids=alike.input_ids,
            position_ids=alike.position_ids,
            sample_lengths=alike.lengths,
            use_cache=False,
            **{fast.BEFORE: alike.before},
        )
