"""Adapters: stock PEFT loads ours and answers alike; ours load stock PEFT's."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_model import build_tiny_model
from training_engine.models import adapters
from training_engine.models.adapters import UnknownTarget
from training_engine.models.masters import FlatMasters

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10, 11]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("model"))


def load(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def tuned(folder: Path, **options: Any) -> Any:
    model = load(folder)
    generator = torch.Generator().manual_seed(0)
    adapters.attach(model, rank=4, alpha=8, generator=generator, **options)
    for number, parameter in enumerate(adapters.parameters(model)):
        with torch.no_grad():
            parameter += torch.randn(parameter.shape, generator=generator) * 0.1 * (number % 3 + 1)
    return model


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model(TOKENS).logits
    return result


def test_a_fresh_adapter_changes_nothing(folder: Path) -> None:
    model = load(folder)
    before = logits(model)
    names = adapters.attach(model, rank=4, alpha=8)
    assert names
    assert not any("lm_head" in name for name in names)
    torch.testing.assert_close(logits(model), before)


def test_only_adapters_learn(folder: Path) -> None:
    model = tuned(folder)
    learning = {id(p) for p in model.parameters() if p.requires_grad}
    assert learning == {id(p) for p in adapters.parameters(model)}


def test_the_same_seed_gives_the_same_start(folder: Path) -> None:
    first, second = tuned(folder), tuned(folder)
    torch.testing.assert_close(logits(first), logits(second), rtol=0, atol=0)


@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"]])
def test_stock_peft_loads_what_we_save(folder: Path, tmp_path: Path, targets: Any) -> None:
    from peft import PeftModel

    model = tuned(folder, targets=targets)
    adapters.save(model, tmp_path, "owner/base")
    stock = PeftModel.from_pretrained(load(folder), tmp_path).eval()
    torch.testing.assert_close(logits(stock), logits(model), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits(model), logits(load(folder)), atol=1e-3)
    assert str(folder) not in (tmp_path / adapters.CONFIG_FILE).read_text()


def test_we_load_what_stock_peft_saved(folder: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], init_lora_weights=False
    )
    stock = get_peft_model(load(folder), config).eval()
    stock.save_pretrained(tmp_path)
    model = load(folder)
    adapters.attach_saved(model, tmp_path)
    torch.testing.assert_close(logits(model), logits(stock), rtol=1e-5, atol=1e-5)


def test_an_adapter_can_be_switched_off(folder: Path) -> None:
    model = tuned(folder)
    for _, adapter in adapters.adapters(model):
        adapter.enabled = False
    torch.testing.assert_close(logits(model), logits(load(folder)))


def test_an_unknown_target_is_named_with_what_there_is(folder: Path) -> None:
    with pytest.raises(UnknownTarget, match=r"no layer q_project; it has .*q_proj"):
        adapters.attach(load(folder), rank=4, alpha=8, targets=["q_project"])


def test_masters_share_memory_and_collect_gradients(folder: Path) -> None:
    model = tuned(folder)
    masters = FlatMasters(adapters.parameters(model))
    model(TOKENS).logits.sum().backward()
    assert masters.silent() == []
    norm = sum(float(p.grad.norm() ** 2) for p in masters.parameters if p.grad is not None) ** 0.5
    assert float(masters.gradient().norm()) == pytest.approx(norm, rel=1e-4)
    before = logits(model)
    torch.optim.SGD([masters.master], lr=1e-3).step()
    masters.publish()
    assert not torch.equal(logits(model), before)
    masters.zero()
    assert masters.silent() == list(range(len(masters.parameters)))


def test_masters_of_half_precision_keep_small_updates() -> None:
    weight = torch.nn.Parameter(torch.full((4,), 256.0, dtype=torch.bfloat16))
    masters = FlatMasters([weight])
    optimizer = torch.optim.SGD([masters.master], lr=1.0)
    for _ in range(8):
        (weight * 0.25).sum().backward()
        masters.collect()
        optimizer.step()
        masters.publish()
        masters.zero()
    # In bf16 alone each step of 0.25 would vanish beside 256.
    assert weight.tolist() == [254.0] * 4
