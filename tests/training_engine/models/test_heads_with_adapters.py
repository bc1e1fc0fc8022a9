"""Adapters on classifiers and encoder–decoders: the head learns in full, stock PEFT loads both."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from training_engine.contract.choices import Head, LoraVariant, Quantization
from training_engine.devices import Placement
from training_engine.failures import EngineFailure
from training_engine.models import load
from training_engine.models.adapter_files import AdapterFacts, load_adapter, save_adapter
from training_engine.models.adapters import add_lora, classification_head
from training_engine.models.lora import lora_layers

CPU = Placement(torch.device("cpu"), torch.float32, "a test")
TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10, 11], [50, 3, 9, 12, 31, 7, 2]])
SMALL = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": 64,
}  # fmt: skip


def llama(folder: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    LlamaForCausalLM(LlamaConfig(**SMALL, pad_token_id=0)).save_pretrained(folder)


def bert(folder: Path) -> None:
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(**SMALL)).save_pretrained(folder)


def bert_without_pooler(folder: Path) -> None:
    from transformers import BertConfig, BertForMaskedLM

    BertForMaskedLM(BertConfig(**SMALL)).save_pretrained(folder)


def roberta(folder: Path) -> None:
    from transformers import RobertaConfig, RobertaForMaskedLM

    RobertaForMaskedLM(RobertaConfig(**SMALL)).save_pretrained(folder)


def distilbert(folder: Path) -> None:
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    config = DistilBertConfig(vocab_size=64, dim=32, hidden_dim=48, n_layers=2, n_heads=4)
    DistilBertForMaskedLM(config).save_pretrained(folder)


def t5(folder: Path) -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2,
                      decoder_start_token_id=0)  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)


def bart(folder: Path) -> None:
    from transformers import BartConfig, BartForConditionalGeneration

    config = BartConfig(vocab_size=64, d_model=16, encoder_layers=2, decoder_layers=2,
                        encoder_ffn_dim=32, decoder_ffn_dim=32, encoder_attention_heads=2,
                        decoder_attention_heads=2, max_position_embeddings=64)  # fmt: skip
    BartForConditionalGeneration(config).save_pretrained(folder)


CLASSIFIERS = [llama, bert, bert_without_pooler, roberta, distilbert]
Make = Callable[[Path], None]


def tuned(folder: Path, head: Head, variant: LoraVariant, **options: Any) -> Any:
    model: Any = load.load_stock(folder, CPU, head, "sdpa", **options).eval()
    generator = torch.Generator().manual_seed(1)
    add_lora(model, rank=4, alpha=8, dropout=0.0, wanted="all-linear", generator=generator,
             variant=variant)  # fmt: skip
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


def logits(model: Any, **inputs: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=TOKENS, attention_mask=torch.ones_like(TOKENS), **inputs).logits


@pytest.mark.parametrize("make", CLASSIFIERS)
@pytest.mark.parametrize("variant", [LoraVariant.LORA, LoraVariant.DORA, LoraVariant.PISSA])
def test_classifiers(tmp_path: Path, make: Make, variant: LoraVariant) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    make(tmp_path / "base")
    model = tuned(tmp_path / "base", Head.SEQUENCE_CLASSIFICATION, variant, num_labels=3)
    assert classification_head(model)
    facts = AdapterFacts("o/b", None, 4, 8, 0.0, variant, Head.SEQUENCE_CLASSIFICATION)
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    save_adapter(adapter, model, {}, facts)
    torch.manual_seed(77)  # another new head
    base = AutoModelForSequenceClassification.from_pretrained(tmp_path / "base", num_labels=3)
    stock = PeftModel.from_pretrained(base, adapter).eval()
    assert type(stock).__name__ == "PeftModelForSequenceClassification"
    torch.testing.assert_close(logits(stock), logits(model), rtol=1e-5, atol=1e-5)
    torch.manual_seed(78)
    again = load.load_stock(
        tmp_path / "base", CPU, Head.SEQUENCE_CLASSIFICATION, "sdpa", num_labels=3
    ).eval()
    load_adapter(again, adapter)
    torch.testing.assert_close(logits(again), logits(model), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_only_adapters_and_head_learn(tmp_path: Path, make: Make) -> None:
    make(tmp_path)
    model = tuned(tmp_path, Head.SEQUENCE_CLASSIFICATION, LoraVariant.LORA, num_labels=3)
    heads = tuple(f"{name}." for name in classification_head(model))
    for name, parameter in model.named_parameters():
        adapter = name.endswith((".lora_a", ".lora_b"))
        assert parameter.requires_grad is (adapter or name.startswith(heads)), name
    assert not any(name.startswith(heads) for name, _ in lora_layers(model))


@pytest.mark.parametrize("make", [t5, bart])
@pytest.mark.parametrize("variant", [LoraVariant.LORA, LoraVariant.DORA])
def test_encoder_decoders(tmp_path: Path, make: Make, variant: LoraVariant) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSeq2SeqLM

    torch.manual_seed(0)
    make(tmp_path / "base")
    model = tuned(tmp_path / "base", Head.SEQ2SEQ_LM, variant)
    names = [name for name, _ in lora_layers(model)]
    assert any("encoder" in name for name in names)
    assert any("decoder" in name for name in names)
    assert "lm_head" not in names
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    save_adapter(adapter, model, {}, AdapterFacts("o/b", None, 4, 8, 0.0, variant, Head.SEQ2SEQ_LM))
    assert json.loads((adapter / "adapter_config.json").read_text())["task_type"] == "SEQ_2_SEQ_LM"
    base = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "base")
    stock = PeftModel.from_pretrained(base, adapter).eval()
    wanted = logits(model, decoder_input_ids=TOKENS)
    found = logits(stock, decoder_input_ids=TOKENS)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "head"), [(t5, Head.SEQ2SEQ_LM), (bert, Head.SEQUENCE_CLASSIFICATION)]
)
def test_packed_bases_learn(tmp_path: Path, make: Make, head: Head) -> None:
    make(tmp_path)
    model = tuned(tmp_path, head, LoraVariant.LORA, quantization=Quantization.NF4)
    inputs = {"decoder_input_ids": TOKENS} if head is Head.SEQ2SEQ_LM else {}
    model(input_ids=TOKENS, **inputs).logits.square().sum().backward()
    silent = [n for n, p in model.named_parameters() if p.requires_grad and not p.grad.any()]
    assert not silent


def test_weights_that_are_missing_beyond_the_head_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    bert(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EngineFailure, match=r"layer.1.output.dense.weight is missing"):
        load.load_stock(tmp_path, CPU, Head.SEQUENCE_CLASSIFICATION, "sdpa", num_labels=3)


@pytest.mark.parametrize("make", [bert, t5])
def test_encoders_and_two_stacks_are_not_packed(tmp_path: Path, make: Make) -> None:
    make(tmp_path)
    head = Head.SEQ2SEQ_LM if make is t5 else Head.SEQUENCE_CLASSIFICATION
    assert not load.packing_works(load.load_stock(tmp_path, CPU, head, "sdpa"))
