"""What a model is made of, from its config.json alone: every matrix, every norm, the exact sum.

No torch. The families below and those of `encoder_shape` are counted exactly (tests compare with
`transformers`); any other decoder is counted as if it were a Llama, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training_engine.encoder_shape import READERS
from training_engine.shape import Linear, ModelShape

__all__ = ["Linear", "ModelShape", "read_shape"]


@dataclass(frozen=True)
class _Family:
    """How a family differs from Llama. None in `biases` means: as the config says."""

    tied: bool = False
    head_dim: int | None = None
    key_value_heads: int | None = None
    query_bias: bool | None = None
    output_bias: bool | None = None
    mlp_bias: bool | None = False
    norms: int = 2
    head_norms: bool = False
    wide_norms: bool = False
    fused: bool = False


_FAMILIES = {
    "llama": _Family(mlp_bias=None),
    "smollm3": _Family(tied=True, key_value_heads=4, mlp_bias=None),
    "granite": _Family(mlp_bias=None),
    "mistral": _Family(key_value_heads=8, query_bias=False, output_bias=False),
    "qwen2": _Family(query_bias=True, output_bias=False),
    "qwen3": _Family(head_dim=128, head_norms=True),
    "gemma": _Family(tied=True, head_dim=256),
    "gemma2": _Family(tied=True, head_dim=256, key_value_heads=4, norms=4),
    "gemma3_text": _Family(tied=True, head_dim=256, key_value_heads=4, norms=4, head_norms=True),
    "olmo2": _Family(wide_norms=True),
    "phi3": _Family(query_bias=False, output_bias=False, fused=True),
}


def read_shape(config: Mapping[str, Any]) -> ModelShape | None:
    """The shape a config.json describes; None when it does not even name the usual sizes."""
    nested = config.get("text_config")
    if isinstance(nested, Mapping):
        inner = read_shape({"model_type": config.get("model_type"), **nested})
        return None if inner is None else _inexact(inner)
    read = READERS.get(str(config.get("model_type")), _llama_like)
    try:
        return _gpt2(config) if config.get("model_type") == "gpt2" else read(config)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _inexact(shape: ModelShape) -> ModelShape:
    return ModelShape(**{**vars(shape), "exact": False})


def _llama_like(config: Mapping[str, Any]) -> ModelShape:
    family = str(config.get("model_type") or "")
    rules = _FAMILIES.get(family, _Family(query_bias=None, mlp_bias=None))
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    inner = int(config["intermediate_size"])
    grouped = int(config.get("num_key_value_heads") or rules.key_value_heads or heads)
    dim = int(config.get("head_dim") or rules.head_dim or hidden // heads)
    attention_bias = bool(config.get("attention_bias", False))
    query_bias = attention_bias if rules.query_bias is None else rules.query_bias
    output_bias = attention_bias if rules.output_bias is None else rules.output_bias
    mlp_bias = bool(config.get("mlp_bias", False)) if rules.mlp_bias is None else rules.mlp_bias
    queries, keys = heads * dim, grouped * dim
    linears: tuple[Linear, ...]
    if rules.fused:
        linears = (
            Linear("qkv_proj", hidden, queries + 2 * keys),
            Linear("o_proj", queries, hidden),
            Linear("gate_up_proj", hidden, 2 * inner),
            Linear("down_proj", inner, hidden),
        )
    else:
        linears = (
            Linear("q_proj", hidden, queries, query_bias),
            Linear("k_proj", hidden, keys, query_bias),
            Linear("v_proj", hidden, keys, query_bias),
            Linear("o_proj", queries, hidden, output_bias),
            Linear("gate_proj", hidden, inner, mlp_bias),
            Linear("up_proj", hidden, inner, mlp_bias),
            Linear("down_proj", inner, hidden, mlp_bias),
        )
    norms = rules.norms * hidden
    norms += 2 * dim if rules.head_norms else 0
    norms += queries + keys if rules.wide_norms else 0
    return ModelShape(
        family=family,
        exact=family in _FAMILIES,
        layers=int(config["num_hidden_layers"]),
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        key_value_heads=grouped,
        head_dim=dim,
        vocabulary=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", rules.tied)),
        linears=linears,
        other_per_layer=norms,
        other=hidden,
    )


def _gpt2(config: Mapping[str, Any]) -> ModelShape:
    """GPT-2: fused biased projections, learnt positions, norms with bias, tied output."""
    hidden = int(config.get("n_embd", 768))
    inner = int(config.get("n_inner") or 4 * hidden)
    heads = int(config.get("n_head", 12))
    return ModelShape(
        family="gpt2",
        exact=True,
        layers=int(config.get("n_layer", 12)),
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        key_value_heads=heads,
        head_dim=hidden // heads,
        vocabulary=int(config.get("vocab_size", 50257)),
        tied=bool(config.get("tie_word_embeddings", True)),
        linears=(
            Linear("attn.c_attn", hidden, 3 * hidden, bias=True),
            Linear("attn.c_proj", hidden, hidden, bias=True),
            Linear("mlp.c_fc", hidden, inner, bias=True),
            Linear("mlp.c_proj", inner, hidden, bias=True),
        ),
        other_per_layer=4 * hidden,
        other=int(config.get("n_positions", 1024)) * hidden + 2 * hidden,
        gated=False,
    )
