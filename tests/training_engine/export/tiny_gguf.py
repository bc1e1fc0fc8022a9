"""The tiny model as a GGUF file, written the way llama.cpp's converter does."""

import json
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType
from safetensors.numpy import load_file

from tests.tiny_model import build_tiny_model

_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}

# The one merge of the file's vocabulary: two line ends, id 259.
DOUBLE_NEWLINE = "ĊĊ"


def _interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """GGUF keeps the two halves of a rotary head interleaved."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def build_tiny_gguf(model: Path, target: Path, pre_tokenizer: str = "smollm") -> Path:
    """Write the tiny model to `model` as a folder and to `target` as GGUF; returns `target`."""
    build_tiny_model(model)
    config = json.loads((model / "config.json").read_text())
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    writer = GGUFWriter(target, "llama")
    writer.add_name("Tiny")
    writer.add_license("mit")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    specials = [token["content"] for token in tokenizer["added_tokens"]]
    tokens = [*tokenizer["model"]["vocab"], *specials, DOUBLE_NEWLINE]
    kinds = [TokenType.NORMAL] * 256 + [TokenType.CONTROL] * 3 + [TokenType.NORMAL]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(["Ċ Ċ"])
    writer.add_eos_token_id(258)
    writer.add_pad_token_id(256)
    writer.add_chat_template((model / "chat_template.jinja").read_text())
    for name, tensor in load_file(model / "model.safetensors").items():
        writer.add_tensor(_gguf_name(name), _gguf_values(name, tensor, config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _gguf_name(name: str) -> str:
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{_NAMES[rest.removesuffix('.weight')]}.weight"


def _gguf_values(name: str, tensor: np.ndarray, config: dict[str, int]) -> np.ndarray:
    if "q_proj" in name:
        return _interleaved(tensor, config["num_attention_heads"])
    if "k_proj" in name:
        return _interleaved(tensor, config["num_key_value_heads"])
    return tensor
