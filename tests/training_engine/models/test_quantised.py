"""Packed bases: the numbers of stock bitsandbytes, exact gradients, and really less memory."""

from pathlib import Path
from typing import Any

import pytest
import torch

from training_engine.contract.choices import LoraVariant, Quantization
from training_engine.models.adapter_files import AdapterFacts, save_adapter
from training_engine.models.adapters import add_lora
from training_engine.models.lora import QuantisedLoraLinear, lora_layers
from training_engine.models.quantised import (
    STOCK_SETTINGS,
    QuantisedLinear,
    quantise,
    read_quantization,
    weight_bytes,
)

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10, 11], [50, 3, 9, 120, 31, 7, 2]])
CPU = torch.device("cpu")


def load(folder: Path, **options: Any) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, **options).eval()


def packed(folder: Path, kind: Quantization) -> Any:
    return quantise(load(folder), kind, CPU, {"lm_head"})


def stock(folder: Path, kind: Quantization) -> Any:
    from transformers import BitsAndBytesConfig

    settings = dict(STOCK_SETTINGS[kind])
    if kind is Quantization.NF4:
        settings["bnb_4bit_compute_dtype"] = torch.bfloat16
    return load(folder, quantization_config=BitsAndBytesConfig(**settings))


def tuned(folder: Path, kind: Quantization, variant: LoraVariant = LoraVariant.LORA) -> Any:
    model = packed(folder, kind)
    generator = torch.Generator().manual_seed(3)
    add_lora(model, rank=4, alpha=8, dropout=0.0, wanted="all-linear", generator=generator,
             variant=variant)  # fmt: skip
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter += 0.05 * noise.to(parameter)
    return model


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(TOKENS).logits.float()


def far(one: torch.Tensor, other: torch.Tensor) -> float:
    """Relative distance."""
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize("kind", Quantization)
def test_weights_are_what_stock_bitsandbytes_makes_of_them(
    tiny_model: Path, kind: Quantization
) -> None:
    import bitsandbytes.functional as functions

    reference = stock(tiny_model, kind)
    compared = 0
    for name, layer in packed(tiny_model, kind).named_modules():
        if isinstance(layer, QuantisedLinear):
            theirs = reference.get_submodule(name).weight
            if kind is Quantization.NF4:
                assert torch.equal(layer.packed, theirs.data)
                wanted = functions.dequantize_4bit(theirs.data, theirs.quant_state)
            else:
                assert torch.equal(layer.packed, theirs.data)
                wanted = functions.int8_vectorwise_dequant(theirs.CB, theirs.SCB)
            torch.testing.assert_close(layer.unpacked(torch.bfloat16), wanted.bfloat16())
            compared += 1
    assert compared == 14


@pytest.mark.parametrize("kind", Quantization)
@pytest.mark.parametrize("variant", LoraVariant)
def test_an_adapter_answers_alike_on_the_stock_packed_base(
    tiny_model: Path, tmp_path: Path, kind: Quantization, variant: LoraVariant
) -> None:
    from peft import PeftModel

    model = tuned(tiny_model, kind, variant)
    facts = AdapterFacts("owner/base", None, 4, 8, 0.0, variant, quantization=kind)
    save_adapter(tmp_path, model, {}, facts)
    assert read_quantization(tmp_path) is kind
    # In evaluation bitsandbytes would repack the weights for a kernel, and PEFT misread them.
    theirs = PeftModel.from_pretrained(stock(tiny_model, kind), tmp_path).train()
    change = far(logits(model), logits(packed(tiny_model, kind)))
    assert change > 0.1
    # Stock int8 rounds the activations too.
    assert far(logits(model), logits(theirs)) < (0.02 if kind is Quantization.NF4 else 0.05)


@pytest.mark.parametrize("kind", Quantization)
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_are_those_of_the_unpacked_weight(kind: Quantization, bias: bool) -> None:
    torch.manual_seed(0)
    plain = torch.nn.Linear(64, 128, bias=bias)
    layer = QuantisedLoraLinear(QuantisedLinear(plain, kind, CPU), 4, 0.5, 0.0, None)
    weight = layer.base_layer.unpacked(torch.float32)
    with torch.no_grad():
        layer.lora_b.normal_()
    x = torch.randn(3, 5, 64, requires_grad=True)
    pull = torch.randn(3, 5, 128)
    (layer(x) * pull).sum().backward()
    found = [x.grad, layer.lora_a.grad, layer.lora_b.grad]
    a, b = layer.lora_a.detach().requires_grad_(), layer.lora_b.detach().requires_grad_()
    z = x.detach().requires_grad_()
    out = torch.nn.functional.linear(z, weight, plain.bias) + 0.5 * (z @ a.t() @ b.t())
    torch.testing.assert_close(layer(x), out)
    (out * pull).sum().backward()
    for mine, wanted in zip(found, (z.grad, a.grad, b.grad), strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kind", "most"), [(Quantization.NF4, 0.27), (Quantization.INT8, 0.52)])
def test_a_layer_takes_a_quarter_or_half_of_bfloat16(kind: Quantization, most: float) -> None:
    plain = torch.nn.Linear(512, 1024, bias=False, dtype=torch.bfloat16)
    assert QuantisedLinear(plain, kind, CPU).nbytes < most * plain.weight.nbytes


@pytest.mark.parametrize("kind", Quantization)
def test_nothing_unpacked_stays_in_memory(tiny_model: Path, kind: Quantization) -> None:
    before = weight_bytes(load(tiny_model))
    model = tuned(tiny_model, kind)
    hidden = sum(
        layer.base_layer.in_features * layer.base_layer.out_features
        for _, layer in lora_layers(model)
    )
    adapters = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    assert weight_bytes(model) - adapters < before - hidden * (0.9 if kind == "int8" else 1.2)
    kept: list[int] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.numel() if tensor.is_floating_point() else 0)
        return tensor

    layer = next(each for _, each in lora_layers(model))
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        layer(torch.randn(2, 64, dtype=torch.bfloat16, requires_grad=True)).sum().backward()
    assert max(kept) < layer.base_layer.in_features * layer.base_layer.out_features


def test_answering_before_training_leaves_the_gradients(tiny_model: Path) -> None:
    """Stock four-bit layers lose theirs when they answer first."""
    model = tuned(tiny_model, Quantization.NF4)
    model.generate(TOKENS[:1], max_new_tokens=2, do_sample=False, pad_token_id=256)
    model(TOKENS, labels=TOKENS).loss.backward()
    for _, layer in lora_layers(model):
        assert layer.lora_a.grad.any()
        assert layer.lora_b.grad.any()


def test_only_frozen_layers_are_packed(tiny_model: Path) -> None:
    model = packed(tiny_model, Quantization.INT8)
    assert isinstance(model.get_output_embeddings(), torch.nn.Linear)
    add_lora(model, rank=4, alpha=8, dropout=0.0, wanted=["q_proj"])
    kinds = {name.rpartition(".")[2]: type(m) for name, m in model.named_modules()}
    assert kinds["q_proj"] is QuantisedLoraLinear
    assert kinds["k_proj"] is QuantisedLinear
    model(TOKENS, labels=TOKENS).loss.backward()
    assert all(layer.lora_b.grad.any() for _, layer in lora_layers(model))


def test_a_quantisation_that_is_not_known_is_named(tmp_path: Path) -> None:
    assert read_quantization(tmp_path) is None
    (tmp_path / "quantization_config.json").write_text('{"load_in_2bit": true}')
    with pytest.raises(ValueError, match="quantization_config"):
        read_quantization(tmp_path)


@pytest.mark.parametrize("kind", Quantization)
@pytest.mark.parametrize("variant", LoraVariant)
def test_activations_computed_again_give_the_same_gradients(
    tiny_model: Path, kind: Quantization, variant: LoraVariant
) -> None:
    found = []
    for again in (False, True):
        model = tuned(tiny_model, kind, variant).train()
        if again:
            model.activation_checkpointing_enable({"use_reentrant": False})
        model(TOKENS, labels=TOKENS).loss.backward()
        found.append({n: p.grad for n, p in model.named_parameters() if p.requires_grad})
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


@pytest.mark.parametrize("kind", Quantization)
@pytest.mark.parametrize("size", [(33, 7), (65, 10), (64, 1), (100, 3)])
def test_odd_sizes(kind: Quantization, size: tuple[int, int]) -> None:
    layer = QuantisedLinear(torch.nn.Linear(*size), kind, CPU)
    x = torch.randn(4, size[0], requires_grad=True)
    layer(x).sum().backward()
    wanted = layer.unpacked(torch.float32).sum(dim=0).expand(4, -1)
    torch.testing.assert_close(x.grad, wanted, rtol=1e-4, atol=1e-5)
