"""Tiny random models with an encoder: a BERT that classifies, a T5 that translates."""

from pathlib import Path

import torch

from tests.tiny_model import build_tiny_tokenizer

SIZES = {"vocab_size": 260, "pad_token_id": 256, "eos_token_id": 258}


def build_tiny_bert(folder: Path) -> Path:
    """An encoder without a head, as sentence encoders are published."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.0,
        **SIZES,
    )
    BertModel(config).save_pretrained(folder)
    return build_tiny_tokenizer(folder)


def build_tiny_t5(folder: Path) -> Path:
    """An encoder–decoder."""
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        dropout_rate=0.0,
        decoder_start_token_id=256,
        **SIZES,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return build_tiny_tokenizer(folder)
