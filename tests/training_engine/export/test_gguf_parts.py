"""What GGUF files consist of: packed numbers, tokenizers, families; read back by others."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, TokenType
from gguf.quants import dequantize

from tests.tiny_model import build_tiny_tokenizer
from tests.training_engine.running import events
from training_engine.contract.choices import Head
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.exports import ExportFormat, ExportSpec, unavailable
from training_engine.control import StopRequests
from training_engine.events import Reporter
from training_engine.export import export, gguf_vocabulary
from training_engine.export.gguf_blocks import pack, stored_bytes, type_of
from training_engine.export.gguf_vocabulary import OtherTokenizer

Q4 = ExportFormat.GGUF_Q4_K_M


def _error(values: torch.Tensor, type_: Type) -> float:
    packed = pack(values, type_, lambda: None)
    assert packed.nbytes == stored_bytes(tuple(values.shape), type_)
    read = torch.from_numpy(dequantize(packed, type_))
    assert read.shape == values.shape
    return float((read - values).norm() / values.norm())


@pytest.mark.parametrize(
    ("type_", "most"), [(Type.Q4_K, 0.075), (Type.Q6_K, 0.02), (Type.Q8_0, 0.006)]
)
def test_what_is_packed_reads_as_it_was(type_: Type, most: float) -> None:
    random = torch.Generator().manual_seed(0)
    weights = torch.randn(96, 512, generator=random) * 0.02
    assert _error(weights, type_) < most
    # Far from zero and all of one sign, where an offset helps or can not be had.
    assert _error(weights + 1, type_) < most
    assert _error(-weights.abs(), type_) < most


@pytest.mark.parametrize("type_", [Type.Q4_K, Type.Q6_K])
def test_zeros_constants_and_single_numbers(type_: Type) -> None:
    zeros = torch.zeros(2, 256)
    assert not dequantize(pack(zeros, type_, lambda: None), type_).any()
    assert _error(torch.full((2, 256), -3.25), type_) < 0.01
    single = zeros.clone()
    single[0, 17] = 5.0
    assert _error(single, type_) < 0.01


def test_six_bits_where_errors_cost_most() -> None:
    def of(name: str, columns: int = 512) -> Type:
        return type_of(Q4, name, (64, columns), 16, tied=True)

    assert of("token_embd.weight") == of("blk.0.attn_v.weight") == Type.Q6_K
    assert of("blk.5.ffn_down.weight") == Type.Q4_K
    assert of("blk.15.ffn_down.weight") == Type.Q6_K
    assert of("blk.0.attn_q.weight") == Type.Q4_K
    assert of("blk.0.attn_q.weight", 576) == Type.Q5_0
    assert of("blk.0.attn_v.weight", 576) == Type.Q8_0
    assert of("blk.0.attn_q.weight", 100) == Type.F16
    assert type_of(Q4, "output_norm.weight", (512,), 16, tied=True) == Type.F32


def _tokenizer(folder: Path, **changes: Any) -> Path:
    build_tiny_tokenizer(folder)
    stored = json.loads((folder / "tokenizer.json").read_text())
    model = {**stored["model"], **changes.pop("model", {})}
    (folder / "tokenizer.json").write_text(json.dumps({**stored, "model": model, **changes}))
    return folder


def test_how_text_is_cut_has_a_name_or_is_refused(tmp_path: Path) -> None:
    merged = {"merges": [["a", "b"]], "vocab": {"a": 0, "b": 1, "ab": 2}}
    byte_level = {"type": "ByteLevel", "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    cut = {"type": "Sequence", "pretokenizers": [digits, byte_level]}
    for name, how in (("gpt-2", byte_level), ("smollm", cut)):
        folder = _tokenizer(tmp_path / name, model=merged, pre_tokenizer=how, added_tokens=[])
        assert gguf_vocabulary.read(folder, 3).pre == name
    odd = {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, byte_level]}
    folder = _tokenizer(tmp_path / "odd", model=merged, pre_tokenizer=odd, added_tokens=[])
    with pytest.raises(OtherTokenizer, match="has no name in GGUF"):
        gguf_vocabulary.read(folder, 3)
    folder = _tokenizer(tmp_path / "unigram", model={"type": "Unigram"})
    with pytest.raises(OtherTokenizer, match="Unigram"):
        gguf_vocabulary.read(folder, 300)


def test_tokens_by_id_with_kinds_and_placeholders(tmp_path: Path) -> None:
    found = gguf_vocabulary.read(_tokenizer(tmp_path / "t"), 262)
    assert found.tokens[256:] == [
        "<|endoftext|>", "<|im_start|>", "<|im_end|>", "[PAD259]", "[PAD260]", "[PAD261]",
    ]  # fmt: skip
    assert found.kinds[255:260] == [
        TokenType.NORMAL, TokenType.CONTROL, TokenType.CONTROL, TokenType.CONTROL, TokenType.UNUSED,
    ]  # fmt: skip
    with pytest.raises(OtherTokenizer, match="259 tokens and its model 100"):
        gguf_vocabulary.read(tmp_path / "t", 100)


def test_sentencepiece_joins_in_the_order_of_the_merges(tmp_path: Path) -> None:
    vocab = {"<unk>": 0, "<0x41>": 1, "a": 2, "b": 3, "ab": 4, "abb": 5}
    model = {
        "byte_fallback": True,
        "unk_token": "<unk>",
        "vocab": vocab,
        "merges": [["a", "b"], ["ab", "b"]],
    }
    found = gguf_vocabulary.read(_tokenizer(tmp_path / "t", model=model, added_tokens=[]), 6)
    assert (found.model, found.pre) == ("llama", "default")
    assert found.scores is not None
    assert found.scores[4] > found.scores[5] > found.scores[2]
    assert found.kinds[:3] == [TokenType.UNKNOWN, TokenType.BYTE, TokenType.NORMAL]


def test_reasons_against_a_format() -> None:
    llama = {"model_type": "llama"}
    assert unavailable(Q4, Head.CAUSAL_LM, llama) is None
    scorer = unavailable(Q4, Head.SEQUENCE_CLASSIFICATION, llama)
    assert scorer is not None
    assert scorer.code == "gguf_needs_language_model"
    assert unavailable(ExportFormat.MERGED, Head.SEQUENCE_CLASSIFICATION, llama) is None
    long = {**llama, "rope_scaling": {"type": "longrope"}}
    rope = unavailable(Q4, Head.CAUSAL_LM, long)
    assert rope is not None
    assert rope.params == {"rope": "longrope"}


SIZES = {
    "vocab_size": 260, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
    "eos_token_id": 258, "pad_token_id": 256, "initializer_range": 0.1,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "qwen2": ("qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("qwen3", {"head_dim": 32}),
    "mistral": ("mistral", {}),
    "llama-with-biases": ("llama", {"attention_bias": True}),
    "llama-3": ("llama", {"rope_parameters": LLAMA3}),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_is_written_and_read_back(tmp_path: Path, name: str) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    family, more = FAMILIES[name]
    torch.manual_seed(0)
    folder = build_tiny_tokenizer(tmp_path / "model")
    model: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **SIZES, **more))
    for key, weight in model.named_parameters():
        if weight.dim() == 1:  # biases and norms that do something
            torch.nn.init.normal_(weight, mean=float("norm" in key), std=0.2)
    model.save_pretrained(folder)
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    spec = ExportSpec(run_id="e", name=name, source=str(folder), format=ExportFormat.GGUF_F16)
    with EventWriter(run_dir) as writer:
        export.run(run_dir, spec, Reporter(writer), StopRequests(run_dir))
    last: Any = events(run_dir)[-1]
    assert last.type == "finished"
    assert last.metrics["relative_error"] < 0.01
    assert last.metrics["weight_error"] < 4e-4
    fields = GGUFReader(run_dir / "output" / f"{name}-F16.gguf")
    architecture = "llama" if family in ("llama", "mistral") else family
    assert fields.fields["general.architecture"].contents() == architecture
    names = {tensor.name for tensor in fields.tensors}
    assert ("rope_freqs.weight" in names) == (name == "llama-3")
    assert ("output.weight" in names) == (not more.get("tie_word_embeddings"))
