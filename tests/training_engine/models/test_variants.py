"""Variants of LoRA: they begin as the base, learn as stock PEFT does, and stock PEFT loads them."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from training_engine.contract.choices import LoraVariant
from training_engine.models.adapter_files import AdapterFacts, load_adapter, save_adapter
from training_engine.models.adapters import add_lora
from training_engine.models.lora import LoraLinear, enable, lora_layers, principal_factors

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10, 11], [50, 3, 9, 120, 31, 7, 2]])
EXACT: dict[str, Any] = {"rtol": 0, "atol": 0}
CLOSE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}
RANK, ALPHA = 4, 6.0


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def with_adapter(folder: Path, variant: LoraVariant, **options: Any) -> Any:
    model = load(folder, options.pop("dtype", torch.float32))
    settings = {"rank": RANK, "alpha": ALPHA, "dropout": 0.0, "wanted": "all-linear"}
    generator = torch.Generator().manual_seed(3)
    add_lora(model, variant=variant, generator=generator, **(settings | options))
    return model


def disturb(model: Any, size: float = 0.05) -> Any:
    """As if it had learnt."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += size * torch.randn(parameter.shape, generator=generator).to(parameter)
    return model


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model(TOKENS).logits
    return result


def save(model: Any, folder: Path, variant: LoraVariant) -> Path:
    facts = AdapterFacts("owner/base", None, RANK, ALPHA, 0.0, variant)
    save_adapter(folder, model, {}, facts)
    return folder


@pytest.mark.parametrize("variant", LoraVariant)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_before_training_it_is_the_base(
    tiny_model: Path, variant: LoraVariant, dtype: torch.dtype
) -> None:
    model = with_adapter(tiny_model, variant, dtype=dtype)
    torch.testing.assert_close(logits(model), logits(load(tiny_model, dtype)), **EXACT)


@pytest.mark.parametrize("variant", LoraVariant)
def test_stock_peft_loads_it_on_the_plain_base(
    tiny_model: Path, tmp_path: Path, variant: LoraVariant
) -> None:
    from peft import PeftModel

    model = disturb(with_adapter(tiny_model, variant))
    save(model, tmp_path, variant)
    stock = PeftModel.from_pretrained(load(tiny_model), tmp_path).eval()
    torch.testing.assert_close(logits(stock), logits(model), **CLOSE)
    assert (logits(model) - logits(load(tiny_model))).abs().max() > 0.01
    again = load(tiny_model)
    load_adapter(again, tmp_path)
    torch.testing.assert_close(logits(again), logits(model), **CLOSE)
    merged = stock.merge_and_unload().eval()
    torch.testing.assert_close(logits(merged), logits(model), **CLOSE)


@pytest.mark.parametrize("variant", [LoraVariant.RSLORA, LoraVariant.DORA])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gradients_are_stock_pefts(
    tiny_model: Path, tmp_path: Path, variant: LoraVariant, dropout: float
) -> None:
    """From the same weights, with the same drops."""
    from peft import PeftModel

    model = disturb(with_adapter(tiny_model, variant, dropout=dropout))
    save(model, tmp_path, variant)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps(config | {"lora_dropout": dropout}))
    stock = PeftModel.from_pretrained(load(tiny_model), tmp_path, is_trainable=True)
    for each in (model, stock):
        each.train()
        torch.manual_seed(11)
        each(TOKENS, labels=TOKENS).loss.backward()
    names = {"lora_a": "lora_A.default.weight", "lora_b": "lora_B.default.weight"}
    names["magnitude"] = "lora_magnitude_vector.default.weight"
    compared = 0
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            layer, _, last = name.rpartition(".")
            theirs = stock.get_parameter(f"base_model.model.{layer}.{names[last]}")
            torch.testing.assert_close(parameter.grad, theirs.grad, **CLOSE)
            compared += 1
    assert compared == 14 * (3 if variant is LoraVariant.DORA else 2)


def test_pissa_learns_as_on_the_residual(tiny_model: Path, tmp_path: Path) -> None:
    """Stock PEFT takes the main directions out of W; gradients and answers are the same."""
    from peft import LoraConfig, get_peft_model

    model = with_adapter(tiny_model, LoraVariant.PISSA)
    config = LoraConfig(
        r=RANK, lora_alpha=ALPHA, target_modules="all-linear", init_lora_weights="pissa"
    )
    stock = get_peft_model(load(tiny_model), config)
    for each in (model, stock):
        each(TOKENS, labels=TOKENS).loss.backward()
    for name, layer in lora_layers(model):
        theirs = stock.get_submodule(f"base_model.model.{name}")
        a, b = theirs.lora_A["default"].weight, theirs.lora_B["default"].weight
        # A direction's sign is the library's whim.
        signs = (layer.start_a * a).sum(dim=1).sign()
        torch.testing.assert_close(layer.start_b * signs, b.detach(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(layer.lora_b.grad * signs, b.grad, rtol=1e-3, atol=1e-5)
        wanted = layer.lora_a.grad * signs[:, None]
        torch.testing.assert_close(wanted, a.grad, rtol=1e-3, atol=1e-5)


def test_pissa_is_stored_with_twice_the_rank_and_the_same_scale(
    tiny_model: Path, tmp_path: Path
) -> None:
    save(with_adapter(tiny_model, LoraVariant.PISSA), tmp_path, LoraVariant.PISSA)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (2 * RANK, 2 * ALPHA)
    assert config["init_lora_weights"] is True


@pytest.mark.parametrize("shape", [(40, 30), (600, 500), (6, 50)])
def test_principal_factors_are_the_best_of_their_rank(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(shape, generator=generator) @ torch.diag(0.9 ** torch.arange(shape[1]))
    a, b = principal_factors(weight, 8, 2.0, torch.Generator().manual_seed(2))
    again = principal_factors(weight, 8, 2.0, torch.Generator().manual_seed(2))
    assert a.shape == (8, shape[1])
    assert b.shape == (shape[0], 8)
    assert torch.equal(a, again[0])
    assert torch.equal(b, again[1])
    best = torch.linalg.svdvals(weight)[8:].norm()
    left = (weight - 2.0 * b @ a).norm()
    torch.testing.assert_close(left, best, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("variant", LoraVariant)
def test_switched_off_it_is_the_base(tiny_model: Path, variant: LoraVariant) -> None:
    model = disturb(with_adapter(tiny_model, variant))
    enable(model, False)
    torch.testing.assert_close(logits(model), logits(load(tiny_model)), **EXACT)


@pytest.mark.parametrize("variant", LoraVariant)
def test_only_plain_layers_are_of_the_plain_class(tiny_model: Path, variant: LoraVariant) -> None:
    kinds = {type(layer) for _, layer in lora_layers(with_adapter(tiny_model, variant))}
    plain = variant not in (LoraVariant.DORA, LoraVariant.PISSA)
    assert (kinds == {LoraLinear}) is plain


def test_dora_keeps_the_learnt_length(tiny_model: Path) -> None:
    """Whatever A and B are, the rows of the effective weight are as long as was learnt."""
    model = disturb(with_adapter(tiny_model, LoraVariant.DORA))
    _, layer = next(lora_layers(model))
    with torch.no_grad():
        effective = layer(torch.eye(layer.base_layer.in_features)).t()
    lengths = torch.linalg.vector_norm(effective, dim=1)
    torch.testing.assert_close(lengths, layer.magnitude.detach().abs(), **CLOSE)
