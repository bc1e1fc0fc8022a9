"""Adapters: stock PEFT loads ours and answers alike; ours load stock PEFT's."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_model import build_tiny_model
from training_engine.failures import EngineFailure
from training_engine.models import adapter_files, adapters, lora

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
    adapters.add_lora(
        model,
        rank=4,
        alpha=8,
        dropout=0.0,
        wanted=options.get("wanted", "all-linear"),
        generator=generator,
    )
    for number, parameter in enumerate(learning(model)):
        with torch.no_grad():
            parameter += torch.randn(parameter.shape, generator=generator) * 0.1 * (number % 3 + 1)
    return model


def learning(model: Any) -> list[torch.nn.Parameter]:
    return [p for _, layer in lora.lora_layers(model) for p in (layer.lora_a, layer.lora_b)]


def save(model: Any, folder: Path, base: str) -> None:
    facts = adapter_files.AdapterFacts(base, None, rank=4, alpha=8, dropout=0.0)
    adapter_files.save_adapter(folder, model, {}, facts)


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model(TOKENS).logits
    return result


def test_a_fresh_adapter_changes_nothing(folder: Path) -> None:
    model = load(folder)
    before = logits(model)
    names = adapters.add_lora(model, rank=4, alpha=8, dropout=0.0, wanted="all-linear")
    assert names
    assert not any("lm_head" in name for name in names)
    torch.testing.assert_close(logits(model), before)


def test_only_adapters_learn(folder: Path) -> None:
    model = tuned(folder)
    required = {id(p) for p in model.parameters() if p.requires_grad}
    assert required == {id(p) for p in learning(model)}


def test_the_same_seed_gives_the_same_start(folder: Path) -> None:
    first, second = tuned(folder), tuned(folder)
    torch.testing.assert_close(logits(first), logits(second), rtol=0, atol=0)


@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"]])
def test_stock_peft_loads_what_we_save(folder: Path, tmp_path: Path, targets: Any) -> None:
    from peft import PeftModel

    model = tuned(folder, wanted=targets)
    save(model, tmp_path, "owner/base")
    stock = PeftModel.from_pretrained(load(folder), tmp_path).eval()
    torch.testing.assert_close(logits(stock), logits(model), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits(model), logits(load(folder)), atol=1e-3)
    assert str(folder) not in (tmp_path / "adapter_config.json").read_text()


def test_we_load_what_stock_peft_saved(folder: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], init_lora_weights=False
    )
    stock = get_peft_model(load(folder), config).eval()
    stock.save_pretrained(tmp_path)
    model = load(folder)
    adapter_files.load_adapter(model, tmp_path)
    torch.testing.assert_close(logits(model), logits(stock), rtol=1e-5, atol=1e-5)


def test_an_adapter_can_be_switched_off(folder: Path) -> None:
    model = tuned(folder)
    lora.enable(model, False)
    torch.testing.assert_close(logits(model), logits(load(folder)))


def test_an_unknown_target_is_named_with_what_there_is(folder: Path) -> None:
    with pytest.raises(EngineFailure, match="no linear layer named q_project") as refusal:
        adapters.add_lora(load(folder), rank=4, alpha=8, dropout=0.0, wanted=["q_project"])
    assert "q_proj" in refusal.value.hint


def test_merged_into_the_base_it_answers_alike(folder: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    model = tuned(folder)
    save(model, tmp_path, "owner/base")
    merged = PeftModel.from_pretrained(load(folder), tmp_path).merge_and_unload().eval()
    torch.testing.assert_close(logits(merged), logits(model), rtol=1e-5, atol=1e-5)


def test_full_names_where_short_ones_would_match_more(folder: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    names = ["model.layers.1.self_attn.q_proj"]
    model = tuned(folder, wanted=names)
    save(model, tmp_path, "owner/base")
    stock = PeftModel.from_pretrained(load(folder), tmp_path).eval()
    assert sum("lora_A" in name for name, _ in stock.named_parameters()) == 1
    torch.testing.assert_close(logits(stock), logits(model), rtol=1e-5, atol=1e-5)
