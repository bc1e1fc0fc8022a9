"""Encoders compute real tokens only, and give what stock transformers gives."""

from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    PreTrainedConfig,
    RobertaConfig,
)

from training_engine.models import heads, load, unpadded
from training_engine.models.forward import Scorer
from training_engine.models.trial import random_row

SIZES = {
    "vocab_size": 200,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 80,
}
DISTILLED = DistilBertConfig(
    vocab_size=200, dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=80
)
FAMILIES = [
    BertConfig(**SIZES),
    RobertaConfig(**SIZES),
    ElectraConfig(**SIZES, embedding_size=16),
    DISTILLED,
]
LENGTHS = (40, 5, 21, 1)


def classifier(config: PreTrainedConfig) -> Any:
    torch.manual_seed(0)
    unpadded.register()
    model = AutoModelForSequenceClassification.from_config(config)
    load.set_attention(model, "sdpa")
    return model.eval()


def scored(model: Any, lengths: tuple[int, ...] = LENGTHS) -> tuple[torch.Tensor, list[Any]]:
    """Scores of texts, and the gradients of all weights."""
    model.zero_grad()
    scores = Scorer(model, packed=False).scores(random_row(model, lengths))
    (scores**2).sum().backward()
    return scores.detach(), [None if p.grad is None else p.grad for p in model.parameters()]


@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: config.model_type)
@pytest.mark.parametrize("lengths", [LENGTHS, (7,), (6, 6, 6)], ids=str)
def test_scores_and_gradients_are_the_stock_ones(
    config: PreTrainedConfig, lengths: tuple[int, ...]
) -> None:
    model = classifier(config)
    wanted = scored(model, lengths)
    heads.unpad(model)
    assert model.unpadded is not None
    torch.testing.assert_close(scored(model, lengths), wanted, rtol=1e-4, atol=1e-6)


def test_layers_see_hardly_more_than_the_real_tokens() -> None:
    model = classifier(FAMILIES[0])
    heads.unpad(model)
    seen = []
    layer = model.base_model.encoder.layer[0]
    layer.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape))
    scored(model)
    assert seen == [(1, 96, 32)]  # 67 tokens instead of 160


def test_what_it_does_not_know_stays_padded() -> None:
    """ModernBERT turns its states by their positions in every layer."""
    ends = {f"{name}_token_id": 1 for name in ("pad", "cls", "sep", "bos", "eos")}
    model = classifier(ModernBertConfig(**SIZES, **ends))
    wanted = scored(model)
    heads.unpad(model)
    assert getattr(model, "unpadded", None) is None
    torch.testing.assert_close(scored(model), wanted, rtol=0, atol=0)


def test_layers_that_give_something_else_are_left_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = classifier(FAMILIES[0])
    wanted = scored(model)
    spread = unpadded.Layout.spread
    monkeypatch.setattr(unpadded.Layout, "spread", lambda self, rows: 2 * spread(self, rows))
    heads.unpad(model)
    assert model.unpadded is None
    torch.testing.assert_close(scored(model), wanted, rtol=0, atol=0)


def test_without_lengths_it_refuses_to_guess() -> None:
    model = classifier(FAMILIES[0])
    heads.unpad(model)
    with pytest.raises(ValueError, match="has to know"):
        model(input_ids=torch.tensor([[5, 6, 0]]), attention_mask=torch.tensor([[1, 1, 0]]))
