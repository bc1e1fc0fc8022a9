"""From a plain model folder to one GGUF file, a tensor at a time.

Names come from the `gguf` package's table of each architecture. Llama's rotary halves are stored
interleaved (Su et al. 2021, arXiv:2104.09864, write them so), as llama.cpp reads them.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gguf
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, LlamaFileType, RopeScalingType
from safetensors import safe_open
from torch import Tensor

from training_engine.contract.exports import GGUF_FAMILIES, ExportFormat, rope_of
from training_engine.contract.model_folder import (
    CONFIG_FILE,
    StoredTensor,
    read_header,
    read_object,
    weight_files,
)
from training_engine.export import gguf_vocabulary
from training_engine.export.gguf_blocks import pack, stored_bytes, type_of

Report = Callable[[float], None]
FILE_TYPES = {
    ExportFormat.GGUF_F16: LlamaFileType.MOSTLY_F16,
    ExportFormat.GGUF_Q8_0: LlamaFileType.MOSTLY_Q8_0,
    ExportFormat.GGUF_Q4_K_M: LlamaFileType.MOSTLY_Q4_K_M,
}
_ROPE_FACTORS = "rope_freqs.weight"


class NotForGguf(ValueError):
    """The model holds something that GGUF does not; the text says what."""


@dataclass(frozen=True)
class _Place:
    """A tensor of the folder: where it lies, what GGUF calls it and how it is stored there."""

    file: Path
    key: str
    name: str
    stored: StoredTensor
    type: Type


def write_gguf(
    folder: Path, target: Path, format: ExportFormat, name: str, report: Report
) -> dict[str, int]:
    """Write the model in `folder` to the file `target`; returns how many tensors have which type.

    `report(fraction)` is told on the way and may raise. Raises `NotForGguf`, `OtherTokenizer`,
    `UnfitFolder` or `OSError`; a file that was begun stays.
    """
    config = read_object(folder / CONFIG_FILE)
    places = _places(folder, config, format)
    rows = next(p.stored.shape[0] for p in places if p.name == "token_embd.weight")
    vocabulary = gguf_vocabulary.read(folder, rows)
    writer = GGUFWriter(target, GGUF_FAMILIES[config["model_type"]])
    try:
        writer.add_name(name)
        writer.add_file_type(FILE_TYPES[format])
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        _describe(writer, config, rows)
        gguf_vocabulary.write(writer, vocabulary, folder)
        _write_tensors(writer, config, places, report)
    finally:
        writer.close()
    return dict(Counter(place.type.name for place in places))


def _places(folder: Path, config: dict[str, Any], format: ExportFormat) -> list[_Place]:
    """Every tensor that goes into the file, in the order of the folder's files."""
    layers = int(config["num_hidden_layers"])
    names = gguf.get_tensor_name_map(_architecture(config), layers)
    tied = bool(config.get("tie_word_embeddings", False))
    found = []
    for file in weight_files(folder):
        for key, stored in read_header(file).items():
            if key.endswith("rotary_emb.inv_freq") or (tied and key == "lm_head.weight"):
                continue  # computed anew, or the embedding once more
            name = names.get_name(key, try_suffixes=(".weight", ".bias"))
            if name is None:
                raise NotForGguf(f"it holds {key}, which has no name in GGUF")
            type_ = type_of(format, name, stored.shape, layers, tied)
            found.append(_Place(file, key, name, stored, type_))
    untied = all(place.name != "output.weight" for place in found)
    if untied and not tied:
        raise NotForGguf("its output layer is missing")
    return found


def _architecture(config: dict[str, Any]) -> gguf.MODEL_ARCH:
    wanted = GGUF_FAMILIES[config["model_type"]]
    return next(arch for arch, name in gguf.MODEL_ARCH_NAMES.items() if name == wanted)


def _head_dim(config: dict[str, Any]) -> int:
    own = config.get("head_dim")
    return int(own or config["hidden_size"] // config["num_attention_heads"])


def _describe(writer: GGUFWriter, config: dict[str, Any], rows: int) -> None:
    """Sizes and positions, in GGUF's words."""
    heads = int(config["num_attention_heads"])
    writer.add_vocab_size(rows)
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(int(config["hidden_size"]))
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_key_length(_head_dim(config))
    writer.add_value_length(_head_dim(config))
    writer.add_rope_dimension_count(_head_dim(config))
    rope = rope_of(config)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(RopeScalingType(rope["rope_type"]))
        writer.add_rope_scaling_factor(float(rope["factor"]))
    if rope["rope_type"] == "yarn":
        first = rope.get("original_max_position_embeddings") or config["max_position_embeddings"]
        writer.add_rope_scaling_orig_ctx_len(int(first))


def _write_tensors(
    writer: GGUFWriter, config: dict[str, Any], places: list[_Place], report: Report
) -> None:
    """Two passes: all names and sizes, then the numbers."""
    factors = _rope_factors(config)
    if factors is not None:
        writer.add_tensor_info(_ROPE_FACTORS, factors.shape, factors.numpy().dtype, factors.nbytes)
    sizes = [stored_bytes(place.stored.shape, place.type) for place in places]
    for place, size in zip(places, sizes, strict=True):
        shape = place.stored.shape
        writer.add_tensor_info(place.name, shape, torch.empty(0).numpy().dtype, size, place.type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    if factors is not None:
        writer.write_tensor_data(factors.numpy())
    done, total = 0, sum(sizes)
    for place, size in zip(places, sizes, strict=True):
        with safe_open(place.file, framework="pt") as opened:
            values = _as_stored(place.name, opened.get_tensor(place.key), config)
        share = done / total
        writer.write_tensor_data(pack(values, place.type, partial(report, share)))
        done += size
        report(done / total)


def _as_stored(name: str, values: Tensor, config: dict[str, Any]) -> Tensor:
    """Llama's queries and keys with the two halves of every head interleaved."""
    kind = name.split(".")[2] if name.startswith("blk.") else ""
    if GGUF_FAMILIES[config["model_type"]] != "llama" or kind not in ("attn_q", "attn_k"):
        return values
    heads = int(config["num_attention_heads"])
    if kind == "attn_k":
        heads = int(config.get("num_key_value_heads") or heads)
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return halves.transpose(1, 2).reshape(values.shape).contiguous()


def _rope_factors(config: dict[str, Any]) -> Tensor | None:
    """What each frequency is divided by in Llama 3's longer context, (head_dim / 2,) fp32.

    Grattafiori et al. 2024, arXiv:2407.21783; the numbers are those of the configuration.
    """
    rope = rope_of(config)
    if rope["rope_type"] != "llama3":
        return None
    dim = _head_dim(config)
    exponents = torch.arange(0, dim, 2, dtype=torch.float32) / dim
    lengths = 2 * math.pi * rope["rope_theta"] ** exponents
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    factor, context = float(rope["factor"]), float(rope["original_max_position_embeddings"])
    smooth = ((context / lengths - low) / (high - low)).clamp(0, 1)
    return 1 / ((1 - smooth) / factor + smooth)
