"""How long a text a model reads: one rule for the engine and for the platform."""

from typing import Any

import pytest

from backend.models.folder import read_facts
from tests.training_engine.objectives.models import build_tiny_bert
from training_engine.contract.context import context_of


@pytest.mark.parametrize(
    ("config", "longest"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514}, 512),
        ({"model_type": "camembert", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "data2vec-text", "max_position_embeddings": 514}, 512),
        ({"model_type": "longformer", "max_position_embeddings": 4098, "pad_token_id": 1}, 4096),
        ({"model_type": "esm", "max_position_embeddings": 1026, "pad_token_id": 1}, 1024),
        ({"model_type": "bart", "max_position_embeddings": 1024, "pad_token_id": 1}, 1024),
        ({"model_type": "gpt2", "n_positions": 1024}, 1024),
        ({"model_type": "t5", "n_positions": 512}, None),
        ({"model_type": "gemma3", "text_config": {"max_position_embeddings": 8192}}, 8192),
        ({"model_type": "xlnet", "max_position_embeddings": -1}, None),
        ({"model_type": "mamba"}, None),
    ],
)
def test_the_longest_text(config: dict[str, Any], longest: int | None) -> None:
    assert context_of(config) == longest


@pytest.mark.parametrize("family", ["Camembert", "MPNet", "Roberta"])
def test_the_longest_text_can_be_read_and_no_longer_one(family: str) -> None:
    import torch
    import transformers

    sizes = {
        "vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 16, "max_position_embeddings": 34, "pad_token_id": 1,
    }  # fmt: skip
    config = getattr(transformers, f"{family}Config")(**sizes)
    model = getattr(transformers, f"{family}Model")(config).eval()
    longest = context_of(config.to_dict())
    assert longest == 32
    with torch.no_grad():
        model(torch.full((1, longest), 5))
        with pytest.raises((IndexError, RuntimeError)):
            model(torch.full((1, longest + 1), 5))


def test_the_platform_says_the_same(tmp_path: Any) -> None:
    assert read_facts(build_tiny_bert(tmp_path / "bert")).context_length == 128
