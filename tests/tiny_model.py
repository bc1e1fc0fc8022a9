"""A tiny random Llama with a byte-level tokenizer and a ChatML template, written in milliseconds.

`python -m tests.tiny_model DIR` writes it by hand. The weights come from a fixed seed, so that
losses measured on it can be pinned. Neither torch nor transformers is imported.
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "hidden_act": "silu",
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "attention_bias": False,
    "mlp_bias": False,
    "tie_word_embeddings": True,
    "vocab_size": 260,
    "dtype": "float32",
    "bos_token_id": None,
    "eos_token_id": 258,
    "pad_token_id": 256,
}


def byte_alphabet() -> list[str]:
    """The printable character that stands for each byte 0–255 in byte-level BPE (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def build_tiny_tokenizer(folder: Path, chat_template: str = CHATML) -> Path:
    """Write tokenizer.json, tokenizer_config.json and chat_template.jinja into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    specials = [END_OF_TEXT, TURN_START, TURN_END]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": 256 + i, "content": token, "special": True, **flags}
            for i, token in enumerate(specials)
        ],
        "normalizer": None,
        "pre_tokenizer": {**byte_level, "use_regex": False},
        "post_processor": None,
        "decoder": {**byte_level, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {symbol: i for i, symbol in enumerate(byte_alphabet())},
            "merges": [],
        },
    }
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": TURN_END,
        "pad_token": END_OF_TEXT,
        "model_max_length": CONFIG["max_position_embeddings"],
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    (folder / "chat_template.jinja").write_text(chat_template, "utf-8")
    return folder


def build_tiny_model(folder: Path) -> Path:
    """Write a complete model folder (config, weights, tokenizer, template); returns `folder`."""
    build_tiny_tokenizer(folder)
    random = np.random.default_rng(0)

    def weight(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) * 0.02).astype(np.float32)

    hidden, inner, keys = 64, 128, 32
    tensors = {"model.embed_tokens.weight": weight(260, hidden)}
    for layer in range(2):
        prefix = f"model.layers.{layer}."
        tensors |= {
            prefix + "self_attn.q_proj.weight": weight(hidden, hidden),
            prefix + "self_attn.k_proj.weight": weight(keys, hidden),
            prefix + "self_attn.v_proj.weight": weight(keys, hidden),
            prefix + "self_attn.o_proj.weight": weight(hidden, hidden),
            prefix + "mlp.gate_proj.weight": weight(inner, hidden),
            prefix + "mlp.up_proj.weight": weight(inner, hidden),
            prefix + "mlp.down_proj.weight": weight(hidden, inner),
            prefix + "input_layernorm.weight": np.ones(hidden, np.float32),
            prefix + "post_attention_layernorm.weight": np.ones(hidden, np.float32),
        }
    tensors["model.norm.weight"] = np.ones(hidden, np.float32)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2), "utf-8")
    generation = {"eos_token_id": [258], "pad_token_id": 256}
    (folder / "generation_config.json").write_text(json.dumps(generation), "utf-8")
    return folder


if __name__ == "__main__":
    print(build_tiny_model(Path(sys.argv[1])))
