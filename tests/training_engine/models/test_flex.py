"""FlexAttention is asked for exactly the attention that samples have one by one."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.nn.attention import flex_attention as stock

from training_engine.models import attention, flex

CPU = torch.device("cpu")


@pytest.fixture
def by_definition(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operation as PyTorch defines it, not compiled; on a processor it has gradients so."""
    flex.block_mask.cache_clear()
    monkeypatch.setattr(flex, "compiled", lambda: stock.flex_attention)
    monkeypatch.setattr(stock, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    monkeypatch.setattr(stock, "_validate_device", lambda *_: None)
    yield
    flex.block_mask.cache_clear()


@pytest.mark.parametrize("window", [None, 3, 130, 500])
@pytest.mark.parametrize("kv_heads", [2, 4])
@pytest.mark.usefixtures("by_definition")
def test_it_equals_the_samples_one_by_one(window: int | None, kv_heads: int) -> None:
    lengths = (5, 1, 160, 9)
    numbers = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(1, heads, sum(lengths), 16, generator=numbers).requires_grad_()
        for heads in (4, kv_heads, kv_heads)
    )

    def run(module: torch.nn.Module) -> Tensor:
        return attention.packed_attention(
            module, query, key, value, None, sample_lengths=lengths, sliding_window=window
        )[0]

    plain, marked = torch.nn.Module(), torch.nn.Module()
    setattr(marked, attention.BY_FLEX, True)
    wanted, got = run(plain), run(marked)
    torch.testing.assert_close(got, wanted)
    push = torch.randn(wanted.shape, generator=numbers)
    inputs = (query, key, value)
    expected = torch.autograd.grad(wanted, inputs, push)
    for mine, reference in zip(torch.autograd.grad(got, inputs, push), expected, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lengths", [(5,), (200, 60, 1, 300), (128, 128, 64), (1,) * 130, (400,)])
@pytest.mark.parametrize("window", [None, 1, 100, 128, 140])
def test_blocks_are_those_of_the_whole_mask(lengths: tuple[int, ...], window: int | None) -> None:
    """Told from the edges of blocks, against PyTorch's count over every pair."""
    found = flex.block_mask(lengths, window, CPU)
    total = sum(lengths)
    wanted = stock.create_block_mask(found.mask_mod, 1, 1, total, total, device="cpu")
    for name in ("kv_num_blocks", "full_kv_num_blocks", "q_num_blocks", "full_q_num_blocks"):
        assert torch.equal(getattr(found, name), getattr(wanted, name)), name
    assert torch.equal(found.to_dense(), wanted.to_dense())


def test_one_mask_serves_all_layers() -> None:
    assert flex.block_mask((3, 4), 2, CPU) is flex.block_mask((3, 4), 2, CPU)


@pytest.mark.usefixtures("by_definition")
def test_dropout_of_weights_is_left_to_the_loop() -> None:
    """FlexAttention has none."""
    module = torch.nn.Module()
    setattr(module, attention.BY_FLEX, True)
    query = torch.randn(1, 2, 300, 16)
    torch.manual_seed(0)
    run = {"sample_lengths": (300,), "dropout": 0.5}
    dropped = attention.packed_attention(module, query, query, query, None, **run)[0]
    assert not torch.allclose(
        dropped, attention.packed_attention(module.eval(), query, query, query, None, **run)[0]
    )
