"""Merged exports of what is no plain language model, or was trained on a packed base."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_model import build_tiny_tokenizer
from tests.training_engine.export.test_export import export_here
from tests.training_engine.models.test_heads_with_adapters import tuned
from training_engine.contract.choices import Head, LoraVariant, Quantization
from training_engine.contract.exports import ExportFormat, ExportSpec
from training_engine.contract.spec import ModelReference
from training_engine.models import method
from training_engine.models.adapter_files import AdapterFacts, save_adapter


def _bert(folder: Path) -> None:
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=260, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
                        num_attention_heads=4, max_position_embeddings=64)  # fmt: skip
    BertModel(config).save_pretrained(folder)


def _t5(folder: Path) -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=260, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2,
                      decoder_start_token_id=0)  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)


def _exported(place: Path, model: Any, facts: AdapterFacts, format: ExportFormat) -> Any:
    """The last event of the export of an adapter to `place / base`."""
    adapter = place / "adapter"
    adapter.mkdir()
    save_adapter(adapter, model, {}, facts)
    if facts.head is Head.SEQUENCE_CLASSIFICATION:
        method.save_labels(adapter, model)
    base = ModelReference(name="o/b", path=str(place / "base"))
    spec = ExportSpec(run_id="e", name="t", source=str(adapter), base=base, format=format)
    return export_here(place / "export", spec)


def _facts(head: Head, quantization: Quantization | None = None) -> AdapterFacts:
    return AdapterFacts("o/b", None, 4, 8, 0.0, LoraVariant.LORA, head, quantization)


def test_a_classifier_with_its_labels(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    _bert(tmp_path / "base")
    build_tiny_tokenizer(tmp_path / "base")
    head = Head.SEQUENCE_CLASSIFICATION
    labels = {0: "bad", 1: "good", 2: "odd"}
    model = tuned(tmp_path / "base", head, LoraVariant.LORA, id2label=labels)
    last = _exported(tmp_path, model, _facts(head), ExportFormat.MERGED)
    assert last.type == "finished", last
    assert last.metrics["relative_error"] < 1e-3
    folder = tmp_path / "export" / "output"
    assert AutoModelForSequenceClassification.from_pretrained(folder).config.id2label == labels


def test_an_encoder_decoder(tmp_path: Path) -> None:
    torch.manual_seed(0)
    _t5(tmp_path / "base")
    build_tiny_tokenizer(tmp_path / "base")
    model = tuned(tmp_path / "base", Head.SEQ2SEQ_LM, LoraVariant.LORA)
    last = _exported(tmp_path, model, _facts(Head.SEQ2SEQ_LM), ExportFormat.MERGED)
    assert last.type == "finished", last
    assert last.metrics["relative_error"] < 1e-3


@pytest.mark.parametrize("format", [ExportFormat.MERGED, ExportFormat.GGUF_F16])
def test_an_adapter_over_a_packed_base(
    tiny_model: Path, tmp_path: Path, format: ExportFormat
) -> None:
    (tmp_path / "base").symlink_to(tiny_model)
    nf4 = Quantization.NF4
    model = tuned(tiny_model, Head.CAUSAL_LM, LoraVariant.LORA, quantization=nf4)
    last = _exported(tmp_path, model, _facts(Head.CAUSAL_LM, nf4), format)
    assert last.type == "finished", last
    assert last.metrics["relative_error"] < 2e-3
