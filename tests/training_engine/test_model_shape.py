"""Parameters counted from config.json equal those of the real model, built without memory."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from training_engine.model_shape import read_shape

# PEFT reads a property that transformers has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

SIZES = {
    "hidden_size": 48,
    "intermediate_size": 112,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "vocab_size": 211,
}
NO_PAD = {"pad_token_id": None, "bos_token_id": 1, "eos_token_id": 2}
CONFIGS: list[dict[str, Any]] = [
    {"model_type": "llama", **SIZES},
    {"model_type": "llama", **SIZES, "tie_word_embeddings": True, "head_dim": 16},
    {"model_type": "llama", **SIZES, "attention_bias": True, "mlp_bias": True},
    {"model_type": "smollm3", **SIZES},
    {"model_type": "granite", **SIZES},
    {"model_type": "mistral", **SIZES},
    {"model_type": "mistral", **SIZES, "head_dim": 4},
    {"model_type": "qwen2", **SIZES},
    {"model_type": "qwen2", **SIZES, "tie_word_embeddings": True},
    {"model_type": "qwen3", **SIZES},
    {"model_type": "qwen3", **SIZES, "head_dim": 32, "attention_bias": True},
    {"model_type": "gemma", **SIZES},
    {"model_type": "gemma2", **SIZES},
    {"model_type": "gemma3_text", **SIZES},
    {"model_type": "olmo2", **SIZES},
    {"model_type": "phi3", **SIZES},
    {"model_type": "gpt2", "n_embd": 48, "n_layer": 3, "n_head": 6, "vocab_size": 211},
    {"model_type": "gpt2", "n_embd": 48, "n_layer": 2, "n_head": 4, "n_inner": 100},
]


OTHER_SIZES = {
    "d_model": 48,
    "vocab_size": 211,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_ffn_dim": 100,
    "decoder_ffn_dim": 90,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 2,
    "pad_token_id": 1,
    "forced_eos_token_id": 2,
}
BERT_SIZES = {**SIZES, "max_position_embeddings": 64, "pad_token_id": 1}
T5_SIZES = {"d_model": 48, "d_kv": 8, "d_ff": 100, "num_layers": 2, "num_heads": 4}
NOT_DECODERS: list[dict[str, Any]] = [
    {"model_type": "bert", **BERT_SIZES},
    {"model_type": "roberta", **BERT_SIZES, "type_vocab_size": 1},
    {"model_type": "xlm-roberta", **BERT_SIZES},
    {"model_type": "distilbert", "dim": 48, "hidden_dim": 100, "n_layers": 2, "n_heads": 4},
    {"model_type": "t5", **T5_SIZES, "vocab_size": 211},
    {"model_type": "t5", **T5_SIZES, "num_decoder_layers": 3, "feed_forward_proj": "gated-gelu"},
    {"model_type": "t5", **T5_SIZES, "tie_word_embeddings": False},
    {"model_type": "bart", **OTHER_SIZES},
    {"model_type": "mbart", **OTHER_SIZES},
    {"model_type": "marian", **OTHER_SIZES},
]


def real_model(config: dict[str, Any]) -> Any:
    extra = {} if config["model_type"] == "gpt2" else NO_PAD
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(
            AutoConfig.for_model(**config, **extra), dtype=torch.float32
        )


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c["model_type"])
def test_known_families_are_counted_exactly(config: dict[str, Any]) -> None:
    shape = read_shape(config)
    assert shape is not None
    assert shape.exact
    assert shape.num_parameters == real_model(config).num_parameters()


@pytest.mark.parametrize("config", NOT_DECODERS, ids=lambda c: c["model_type"])
def test_encoders_and_encoder_decoders_are_counted_exactly(config: dict[str, Any]) -> None:
    settings = AutoConfig.for_model(**config)
    shape = read_shape(settings.to_dict())
    assert shape is not None
    assert shape.exact
    auto = AutoModelForSeq2SeqLM if shape.decoder else AutoModel
    with torch.device("meta"):
        model = auto.from_config(settings, dtype=torch.float32)
    assert shape.num_parameters == model.num_parameters()
    linears = [each for each in model.modules() if isinstance(each, torch.nn.Linear)]
    inside = sum(each.weight.numel() for each in linears if each is not outer(model))
    assert sum(s.matrices for s in shape.stacks) == inside + sum(
        each.bias.numel() for each in linears if each is not outer(model) and each.bias is not None
    )


def outer(model: Any) -> Any:
    """The matrix that stands behind all layers."""
    if hasattr(model, "lm_head"):
        return model.lm_head
    return model.pooler.dense if getattr(model, "pooler", None) is not None else None


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c["model_type"])
def test_a_full_config_counts_like_the_short_one(config: dict[str, Any]) -> None:
    written = real_model(config).config.to_dict()
    shape, short = read_shape(written), read_shape(config)
    assert shape is not None
    assert short is not None
    assert shape.num_parameters == short.num_parameters


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c["model_type"])
def test_adapters_are_counted_as_peft_makes_them(config: dict[str, Any]) -> None:
    shape = read_shape(config)
    assert shape is not None
    targets: list[str] | str = "all-linear"
    fan_in_fan_out = config["model_type"] == "gpt2"
    lora = LoraConfig(r=4, target_modules=targets, fan_in_fan_out=fan_in_fan_out)
    wrapped = get_peft_model(real_model(config), lora)
    trainable = sum(p.numel() for p in wrapped.parameters() if p.requires_grad)
    assert shape.lora_parameters(4, targets) == trainable


def test_named_targets_count_only_those() -> None:
    config = {"model_type": "llama", **SIZES}
    shape = read_shape(config)
    assert shape is not None
    lora = LoraConfig(r=8, target_modules=["q_proj", "v_proj"])
    wrapped = get_peft_model(real_model(config), lora)
    trainable = sum(p.numel() for p in wrapped.parameters() if p.requires_grad)
    assert shape.lora_parameters(8, ["q_proj", "v_proj"]) == trainable


def test_an_unknown_decoder_is_counted_as_a_llama_and_says_so() -> None:
    shape = read_shape({"model_type": "brand_new", **SIZES})
    llama = read_shape({"model_type": "llama", **SIZES})
    assert shape is not None
    assert llama is not None
    assert not shape.exact
    assert shape.num_parameters == llama.num_parameters


def test_the_text_part_of_a_larger_model_is_read() -> None:
    shape = read_shape(
        {"model_type": "some_vision", "text_config": {"model_type": "llama", **SIZES}}
    )
    assert shape is not None
    assert not shape.exact
    assert shape.layers == 3


@pytest.mark.parametrize("config", [{}, {"model_type": "t5", "d_model": 4}, {"hidden_size": "x"}])
def test_a_config_without_sizes_gives_nothing(config: dict[str, Any]) -> None:
    assert read_shape(config) is None
