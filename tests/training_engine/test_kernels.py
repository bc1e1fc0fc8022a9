"""The kernels give what plain PyTorch gives, values and gradients."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from training_engine.contract.choices import Quantization
from training_engine.limits import LOGITS_AT_ONCE
from training_engine.models import attention, kernels
from training_engine.models.attention import packed_attention
from training_engine.models.lora import LoraLinear
from training_engine.models.quantised import QuantisedLinear, quantised_lora_linear

HALF = torch.bfloat16


def random(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).to(dtype)


@pytest.mark.parametrize("with_bias", [True, False])
def test_lora_linear_equals_its_definition(with_bias: bool) -> None:
    x = random(2, 5, 12).requires_grad_()
    weight = random(7, 12)
    bias = random(7) if with_bias else None
    a, b = random(3, 12).requires_grad_(), random(7, 3).requires_grad_()
    wanted = functional.linear(x, weight, bias) + (x @ a.t() @ b.t()) * 2.0
    got = kernels.lora_linear(x, weight, bias, a, b, 2.0)
    torch.testing.assert_close(got, wanted)
    push = random(2, 5, 7)
    expected = torch.autograd.grad(wanted, (x, a, b), push)
    actual = torch.autograd.grad(got, (x, a, b), push)
    for mine, reference in zip(actual, expected, strict=True):
        torch.testing.assert_close(mine, reference)


def test_lora_linear_in_bf16_has_gradients_near_the_exact_ones() -> None:
    x, weight = random(64, 32), random(48, 32)
    a, b = random(4, 32).requires_grad_(), random(48, 4).requires_grad_()
    exact = kernels.lora_linear(x, weight, None, a, b, 0.5)
    push = random(64, 48)
    wanted = torch.autograd.grad(exact, (a, b), push)
    small = [t.detach().to(HALF).requires_grad_() for t in (a, b)]
    rough = kernels.lora_linear(x.to(HALF), weight.to(HALF), None, *small, 0.5)
    got = torch.autograd.grad(rough, small, push.to(HALF))
    for mine, reference in zip(got, wanted, strict=True):
        likeness = functional.cosine_similarity(mine.float().flatten(), reference.flatten(), dim=0)
        assert likeness > 0.999


Products = Callable[[Tensor, nn.Linear, Tensor, Tensor], Tensor]


def plain(x: Tensor, base: nn.Linear, a: Tensor, b: Tensor) -> Tensor:
    return kernels.lora_linear(x, base.weight, base.bias, a, b, 2.0)


def dropped(x: Tensor, base: nn.Linear, a: Tensor, b: Tensor) -> Tensor:
    layer = LoraLinear(base, len(a), 2.0, dropout=1e-9, generator=None)
    layer.lora_a.data, layer.lora_b.data = a, b
    return layer.train()(x).detach()


def quantised(x: Tensor, base: nn.Linear, a: Tensor, b: Tensor) -> Tensor:
    packed = QuantisedLinear(base, Quantization.INT8, torch.device("cpu"))
    return quantised_lora_linear(x, packed, base.bias, a, b, 2.0)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("product", [plain, dropped, quantised])
def test_the_first_steps_of_an_adapter_are_not_rounded_away(
    product: Products, with_bias: bool
) -> None:
    # After a step B holds ±1e-4, and what it adds is less than half the last digit of the outputs.
    base = nn.Linear(256, 256, bias=with_bias, dtype=HALF)
    base.weight.data = random(256, 256, dtype=HALF) / 4
    x, a, b = random(512, 256, dtype=HALF), random(8, 256, dtype=HALF) / 16, random(256, 8)
    tiny = (b.sign() * 1e-4).to(HALF)
    with torch.no_grad():
        wanted = 2.0 * (x.float() @ a.float().t()) @ tiny.float().t()
        got = product(x, base, a, tiny).float() - product(x, base, a, tiny * 0).float()
    assert wanted.abs().mean() < 2**-9 * base(x).abs().mean() / 2
    kept = (got * wanted).sum() / wanted.square().sum()
    assert float(kept) == pytest.approx(1.0, abs=0.1)


TARGETS = torch.tensor([0, 19, 3, 3, 7, 1, 18, 5, 2])
CHUNKS = pytest.mark.parametrize("chunk", [1, 40, 10_000])


def head() -> tuple[Tensor, Tensor, Tensor]:
    """Hidden states of nine positions, a head over twenty words, its bias; all of them learn."""
    return (
        random(9, 8).requires_grad_(),
        random(20, 8).requires_grad_(),
        random(20).requires_grad_(),
    )


@CHUNKS
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_chunked_cross_entropy_equals_the_whole(
    monkeypatch: pytest.MonkeyPatch, chunk: int, smoothing: float
) -> None:
    monkeypatch.setitem(LOGITS_AT_ONCE, "cpu", chunk)
    hidden, weight, bias = inputs = head()
    logits = functional.linear(hidden, weight, bias)
    wanted = functional.cross_entropy(logits, TARGETS, reduction="sum", label_smoothing=smoothing)
    got = kernels.chunked_cross_entropy(hidden, weight, TARGETS, bias, smoothing)
    torch.testing.assert_close(got, wanted)
    expected = torch.autograd.grad(wanted * 0.25, inputs)
    for mine, reference in zip(torch.autograd.grad(got * 0.25, inputs), expected, strict=True):
        torch.testing.assert_close(mine, reference)


@CHUNKS
def test_token_log_probs_equal_the_log_softmax(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setitem(LOGITS_AT_ONCE, "cpu", chunk)
    hidden, weight, bias = inputs = head()
    logs = functional.linear(hidden, weight, bias).log_softmax(dim=1)
    wanted = logs.gather(1, TARGETS[:, None]).squeeze(1)
    got = kernels.token_log_probs(hidden, weight, TARGETS, bias)
    torch.testing.assert_close(got, wanted)
    push = random(9)
    expected = torch.autograd.grad(wanted, inputs, push)
    for mine, reference in zip(torch.autograd.grad(got, inputs, push), expected, strict=True):
        torch.testing.assert_close(mine, reference)


def test_token_log_probs_without_a_bias_and_with_a_frozen_head() -> None:
    hidden, weight, _ = head()
    got = kernels.token_log_probs(hidden.to(HALF), weight.detach().to(HALF), TARGETS)
    assert got.dtype == torch.float32
    got.sum().backward()
    wanted = functional.linear(hidden, weight).log_softmax(dim=1).gather(1, TARGETS[:, None])
    torch.testing.assert_close(got, wanted.squeeze(1), rtol=0.02, atol=0.05)
    assert hidden.grad is not None
    assert weight.grad is None


def test_chunked_cross_entropy_with_a_frozen_head_gives_only_the_hidden_gradient() -> None:
    hidden = random(6, 8).requires_grad_()
    loss = kernels.chunked_cross_entropy(hidden, random(11, 8), torch.arange(6))
    loss.backward()
    assert hidden.grad is not None
    assert hidden.grad.abs().sum() > 0


def attend(query: Tensor, key: Tensor, value: Tensor, lengths: tuple[int, ...]) -> Tensor:
    module = torch.nn.Module()
    return packed_attention(module, query, key, value, None, sample_lengths=lengths)[0]


@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (6, 2)])
def test_packed_samples_attend_as_if_alone(heads: int, kv_heads: int) -> None:
    lengths = (5, 1, 9)
    total = sum(lengths)
    query, key, value = (
        random(1, heads, total, 8),
        random(1, kv_heads, total, 8),
        random(1, kv_heads, total, 8),
    )
    got = attend(query, key, value, lengths)
    begin = 0
    for length in lengths:
        end = begin + length
        parts = (t[:, :, begin:end] for t in (query, key, value))
        torch.testing.assert_close(got[:, begin:end], attend(*parts, (length,)))
        begin = end


def test_a_sample_does_not_see_another_or_the_future() -> None:
    lengths = (4, 4)
    query, key, value = (random(1, 2, 8, 8) for _ in range(3))
    before = attend(query, key, value, lengths)
    changed = value.clone()
    changed[:, :, 6] += 100
    after = attend(query, key, changed, lengths)
    torch.testing.assert_close(after[:, :6], before[:, :6])
    assert not torch.allclose(after[:, 6:], before[:, 6:])


def test_a_sliding_window_forgets_what_is_older() -> None:
    query, key, value = (random(1, 2, 10, 8) for _ in range(3))
    module = torch.nn.Module()

    def windowed(value: Tensor) -> Tensor:
        return packed_attention(
            module, query, key, value, None, sample_lengths=(10,), sliding_window=3
        )[0]

    changed = value.clone()
    changed[:, :, 0] += 100
    torch.testing.assert_close(windowed(changed)[:, 3:], windowed(value)[:, 3:])
    assert not torch.allclose(windowed(changed)[:, 2], windowed(value)[:, 2])


@pytest.mark.parametrize("others", [{"softcap": 30.0}, {"s_aux": torch.zeros(2)}, {}])
def test_what_it_does_not_compute_is_refused(others: dict[str, object]) -> None:
    query = random(1, 2, 4, 8)
    lengths = (4,) if others else None
    with pytest.raises(ValueError, match="packed attention has no"):
        packed_attention(
            torch.nn.Module(), query, query, query, None, sample_lengths=lengths, **others
        )


@pytest.mark.parametrize("short", [0, 6, 256])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_gradients_of_packed_attention_whatever_way_they_take(
    monkeypatch: pytest.MonkeyPatch, short: int, kv_heads: int
) -> None:
    """Long samples take the fused backward pass, short ones matrix products: both are exact."""
    monkeypatch.setattr("training_engine.models.attention.SHORT", short)
    lengths = (5, 1, 9)
    query = random(1, 4, 15, 8).requires_grad_()
    key, value = (random(1, kv_heads, 15, 8).requires_grad_() for _ in range(2))
    got = attend(query, key, value, lengths)
    wanted = torch.cat(
        [
            functional.scaled_dot_product_attention(*parts, is_causal=True, enable_gqa=True)
            for parts in zip(*(t.split(lengths, dim=2) for t in (query, key, value)), strict=True)
        ],
        dim=2,
    ).transpose(1, 2)
    torch.testing.assert_close(got, wanted)
    push = random(1, 15, 4, 8)
    inputs = (query, key, value)
    expected = torch.autograd.grad(wanted, inputs, push)
    for mine, reference in zip(torch.autograd.grad(got, inputs, push), expected, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("window", [None, 3, 50])
def test_the_gpu_kernel_is_asked_for_the_same_attention(
    monkeypatch: pytest.MonkeyPatch, window: int | None
) -> None:
    """What is handed to the kernel for GPUs, computed here by its definition."""

    def by_definition(
        query: Tensor, key: Tensor, value: Tensor, *borders: Any, **how: Any
    ) -> Tensor:
        begins, ends, longest, _ = borders
        assert begins.dtype == torch.int32
        assert begins is ends
        assert longest == max(begins.diff())
        left, right = how["window_size"]
        sample = torch.bucketize(torch.arange(len(query)), begins, right=True)
        distance = torch.arange(len(query))[:, None] - torch.arange(len(query))
        seen = (sample[:, None] == sample) & (distance >= -right)
        seen &= (distance <= left) | torch.tensor(left < 0)
        states = (t.transpose(0, 1)[None] for t in (query, key, value))
        out = functional.scaled_dot_product_attention(
            *states, attn_mask=seen, scale=how["scale"], enable_gqa=how["enable_gqa"]
        )
        return out[0].transpose(0, 1)

    lengths = (5, 1, 9)
    query, key, value = random(1, 4, 15, 8), random(1, 2, 15, 8), random(1, 2, 15, 8)

    def run() -> Tensor:
        return packed_attention(
            torch.nn.Module(), query, key, value, None,
            sample_lengths=lengths, sliding_window=window,
        )[0]  # fmt: skip

    wanted = run()
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", by_definition)
    monkeypatch.setattr("training_engine.models.attention.has_varlen_kernel", lambda *_: True)
    torch.testing.assert_close(run(), wanted)


def test_the_gpu_kernel_is_not_for_processors() -> None:
    query = random(1, 2, 4, 8).to(HALF)
    assert not attention.has_varlen_kernel(query, query)


def test_log_probs_of_what_is_all_but_certain_or_impossible() -> None:
    """Where a probability in bfloat16 would be one, or nothing."""
    weight = torch.eye(4) * 30
    hidden = torch.tensor([[1.0, 0, 0, 0], [0.25, 0, 0, 0], [-4.0, 0, 0, 0]])
    targets = torch.tensor([0, 0, 0])
    for dtype in (torch.float32, HALF):
        inputs = hidden.to(dtype).requires_grad_()
        got = kernels.token_log_probs(inputs, weight.to(dtype), targets)
        exact = hidden.double().requires_grad_()
        wanted = (exact @ weight.t().double()).log_softmax(dim=1)[:, 0]
        torch.testing.assert_close(got.double(), wanted, rtol=0.01, atol=0.0)
        (grad,) = torch.autograd.grad(got.sum(), inputs)
        (want,) = torch.autograd.grad(wanted.sum(), exact)
        torch.testing.assert_close(grad.double(), want, rtol=0.02, atol=1e-20)
