"""What the engine trains, merged: the plain folder computes what was trained."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training_engine.models.test_heads_with_adapters import (
    CLASSIFIERS,
    CPU,
    Make,
    t5,
    tuned,
)
from training_engine.contract.choices import Head, LoraVariant, Quantization
from training_engine.export.merge import merge
from training_engine.models import load, method
from training_engine.models.adapter_files import AdapterFacts, save_adapter

TOKENS = torch.arange(3, 50)[None]


def scores(model: Any, **inputs: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(input_ids=TOKENS, **inputs).logits
    return found


def merged(base: Path, model: Any, folder: Path, facts: AdapterFacts) -> Path:
    adapter = folder / "adapter"
    adapter.mkdir()
    save_adapter(adapter, model, {}, facts)
    if facts.head is Head.SEQUENCE_CLASSIFICATION:
        method.save_labels(adapter, model)
    merge(base, adapter, folder / "merged", "tuned")
    return folder / "merged"


def facts_of(
    variant: LoraVariant, head: Head, quantization: Quantization | None = None
) -> AdapterFacts:
    return AdapterFacts("o/b", None, 4, 8, 0.0, variant, head, quantization)


@pytest.mark.parametrize("variant", LoraVariant)
@pytest.mark.parametrize("quantization", [None, *Quantization])
def test_language_models(
    tiny_model: Path, tmp_path: Path, variant: LoraVariant, quantization: Quantization | None
) -> None:
    from transformers import AutoModelForCausalLM

    model = tuned(tiny_model, Head.CAUSAL_LM, variant, quantization=quantization)
    facts = facts_of(variant, Head.CAUSAL_LM, quantization)
    folder = merged(tiny_model, model, tmp_path, facts)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    torch.testing.assert_close(scores(plain), scores(model), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", CLASSIFIERS)
@pytest.mark.parametrize("variant", [LoraVariant.LORA, LoraVariant.DORA])
def test_classifiers_with_their_head_and_labels(
    tmp_path: Path, make: Make, variant: LoraVariant
) -> None:
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    make(tmp_path / "base")
    labels = {0: "bad", 1: "good", 2: "odd"}
    model = tuned(tmp_path / "base", Head.SEQUENCE_CLASSIFICATION, variant, id2label=labels)
    facts = facts_of(variant, Head.SEQUENCE_CLASSIFICATION)
    folder = merged(tmp_path / "base", model, tmp_path, facts)
    plain, found = AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    assert not found["missing_keys"]
    assert plain.config.id2label == labels
    torch.testing.assert_close(scores(plain), scores(model), rtol=1e-4, atol=1e-5)
    assert load.check_folder(folder, "tuned")["architectures"] == [type(model).__name__]


@pytest.mark.parametrize("quantization", [None, Quantization.NF4])
def test_encoder_decoders(tmp_path: Path, quantization: Quantization | None) -> None:
    torch.manual_seed(0)
    t5(tmp_path / "base")
    model = tuned(tmp_path / "base", Head.SEQ2SEQ_LM, LoraVariant.LORA, quantization=quantization)
    facts = facts_of(LoraVariant.LORA, Head.SEQ2SEQ_LM, quantization)
    folder = merged(tmp_path / "base", model, tmp_path, facts)
    plain = load.load_stock(folder, CPU, Head.SEQ2SEQ_LM, "sdpa")
    inputs = {"decoder_input_ids": TOKENS}
    wanted = scores(model, **inputs)
    torch.testing.assert_close(scores(plain, **inputs), wanted, rtol=1e-4, atol=1e-5)


def test_a_packed_layer_without_an_adapter_is_merged_as_it_was_computed_with(
    tiny_model: Path, tmp_path: Path
) -> None:
    from training_engine.models.adapters import add_lora

    model: Any = load.load_stock(
        tiny_model, CPU, Head.CAUSAL_LM, "sdpa", quantization=Quantization.NF4
    )
    add_lora(model, rank=4, alpha=8, dropout=0.0, wanted=["q_proj"])
    facts = facts_of(LoraVariant.LORA, Head.CAUSAL_LM, Quantization.NF4)
    folder = merged(tiny_model, model, tmp_path, facts)
    plain = load.load_stock(folder, CPU, Head.CAUSAL_LM, "sdpa")
    torch.testing.assert_close(scores(plain), scores(model), rtol=1e-4, atol=1e-5)
