"""Shapes of encoders and encoder–decoders from their config.json, counted exactly. No torch."""

from collections.abc import Callable, Mapping
from typing import Any

from training_engine.shape import Linear, ModelShape, Stack

Config = Mapping[str, Any]


def _bert(config: Config) -> ModelShape:
    """BERT, RoBERTa and their kin: post-norm layers with biases, a pooler at the end."""
    hidden, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    heads = int(config["num_attention_heads"])
    positions = int(config["max_position_embeddings"])
    tables = (positions + int(config.get("type_vocab_size", 2))) * hidden
    norm, pooler = 2 * hidden, hidden * hidden + hidden
    return ModelShape(
        family=str(config["model_type"]),
        exact=True,
        layers=int(config["num_hidden_layers"]),
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        key_value_heads=heads,
        head_dim=hidden // heads,
        vocabulary=int(config["vocab_size"]),
        tied=True,
        linears=(
            *(Linear(f"attention.self.{n}", hidden, hidden, True) for n in ("query", "key")),
            Linear("attention.self.value", hidden, hidden, True),
            Linear("attention.output.dense", hidden, hidden, True),
            Linear("intermediate.dense", hidden, inner, True),
            Linear("output.dense", inner, hidden, True),
        ),
        other_per_layer=2 * norm,
        other=tables + norm + pooler,
        gated=False,
        encoder=True,
    )


def _distilbert(config: Config) -> ModelShape:
    hidden, inner = int(config["dim"]), int(config["hidden_dim"])
    heads = int(config["n_heads"])
    names = ("q_lin", "k_lin", "v_lin", "out_lin")
    return ModelShape(
        family="distilbert",
        exact=True,
        layers=int(config["n_layers"]),
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        key_value_heads=heads,
        head_dim=hidden // heads,
        vocabulary=int(config["vocab_size"]),
        tied=True,
        linears=(
            *(Linear(f"attention.{name}", hidden, hidden, True) for name in names),
            Linear("ffn.lin1", hidden, inner, True),
            Linear("ffn.lin2", inner, hidden, True),
        ),
        other_per_layer=4 * hidden,
        other=int(config["max_position_embeddings"]) * hidden + 2 * hidden,
        gated=False,
        encoder=True,
    )


def _t5(config: Config) -> ModelShape:
    """T5: no biases, relative positions in the first layer of each stack, a norm before each."""
    hidden, inner, heads = int(config["d_model"]), int(config["d_ff"]), int(config["num_heads"])
    dim = int(config["d_kv"])
    width, layers = heads * dim, int(config["num_layers"])
    gated = str(config.get("feed_forward_proj", "relu")).startswith("gated")

    def attention(name: str) -> tuple[Linear, ...]:
        inwards = (Linear(f"{name}.{each}", hidden, width) for each in "qkv")
        return (*inwards, Linear(f"{name}.o", width, hidden))

    first = ("wi_0", "wi_1") if gated else ("wi",)
    forward = (*(Linear(name, hidden, inner) for name in first), Linear("wo", inner, hidden))
    # Every stack's first layer holds a bias for each bucket of distance and head.
    distances = int(config.get("relative_attention_num_buckets", 32)) * heads
    return ModelShape(
        family=str(config["model_type"]),
        exact=True,
        layers=layers,
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        key_value_heads=heads,
        head_dim=dim,
        vocabulary=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", True)),
        linears=(*attention("SelfAttention"), *forward),
        other_per_layer=2 * hidden,
        other=2 * distances + 2 * hidden,
        gated=gated,
        decoder=Stack(
            layers=int(config.get("num_decoder_layers") or layers),
            linears=(*attention("SelfAttention"), *attention("EncDecAttention"), *forward),
            other_per_layer=3 * hidden,
        ),
    )


# Offset of the learnt positions, a norm on the embeddings, a norm at the end of each stack.
_BART_KINDS = {"bart": (2, True, False), "mbart": (2, True, True), "marian": (0, False, False)}


def _bart(config: Config) -> ModelShape:
    """BART, mBART and Marian: biases everywhere, positions of their own for both stacks."""
    family = str(config["model_type"])
    offset, norm_first, norm_last = _BART_KINDS[family]
    hidden, heads = int(config["d_model"]), int(config["encoder_attention_heads"])
    norm = 2 * hidden

    def layer(inner: int, *names: str) -> tuple[Linear, ...]:
        return (
            *(
                Linear(f"{name}.{each}", hidden, hidden, True)
                for name in names
                for each in ("q_proj", "k_proj", "v_proj", "out_proj")
            ),
            Linear("fc1", hidden, inner, True),
            Linear("fc2", inner, hidden, True),
        )

    inner = int(config["encoder_ffn_dim"])
    positions = 2 * (int(config["max_position_embeddings"]) + offset) * hidden
    return ModelShape(
        family=family,
        exact=True,
        layers=int(config["encoder_layers"]),
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        key_value_heads=heads,
        head_dim=hidden // heads,
        vocabulary=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", True)),
        linears=layer(inner, "self_attn"),
        other_per_layer=2 * norm,
        other=positions + 2 * norm * (int(norm_first) + int(norm_last)),
        gated=False,
        decoder=Stack(
            layers=int(config["decoder_layers"]),
            linears=layer(int(config["decoder_ffn_dim"]), "self_attn", "encoder_attn"),
            other_per_layer=3 * norm,
        ),
    )


READERS: dict[str, Callable[[Config], ModelShape]] = {
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "camembert"), _bert),
    "distilbert": _distilbert,
    **dict.fromkeys(("t5", "mt5", "umt5"), _t5),
    **dict.fromkeys(_BART_KINDS, _bart),
}
