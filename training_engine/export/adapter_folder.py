"""Reads a plain LoRA adapter as PEFT writes it, and refuses every other kind by name.

Hu et al. 2021, arXiv:2106.09685; the scale over the root of the rank (rsLoRA): Kalajdzievski 2023,
arXiv:2312.03732.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
_PREFIX = "base_model.model."
_FACTOR = re.compile(r"(.+)\.lora_(A|B)\.weight")


class NotPlainLora(Exception):
    """The adapter does more than add low-rank products to linear layers; the text says what."""


@dataclass(frozen=True)
class Factors:
    """What an adapter adds to one layer: `scale` · `up` (out, r) · `down` (r, in), fp32.

    `transposed`: the layer stores its matrix as (in, out), as GPT-2 does.
    """

    down: Tensor
    up: Tensor
    scale: float
    transposed: bool


def read_factors(folder: Path) -> dict[str, Factors]:
    """Layer name (as in the model's modules) → factors.

    Raises `NotPlainLora`, or `OSError` and `ValueError` for files that can not be read.
    """
    config: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
    _refuse_variants(config)
    try:
        tensors = load_file(folder / WEIGHTS_FILE)
    except SafetensorError as error:
        raise ValueError(f"{WEIGHTS_FILE} is damaged: {error}") from error
    pairs: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        match = _FACTOR.fullmatch(key)
        if match is None or not key.startswith(_PREFIX):
            raise NotPlainLora(f"it holds {key}")
        layer = match[1].removeprefix(_PREFIX)
        pairs.setdefault(layer, {})[match[2]] = tensor.to(torch.float32)
    for layer, pair in pairs.items():
        if pair.keys() != {"A", "B"}:
            raise ValueError(f"one of the two matrices of layer {layer} is missing")
    transposed = bool(config.get("fan_in_fan_out"))
    return {
        layer: Factors(pair["A"], pair["B"], _scale(config, layer, len(pair["A"])), transposed)
        for layer, pair in pairs.items()
    }


def _refuse_variants(config: dict[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise NotPlainLora(f"its type is {config.get('peft_type')}")
    if config.get("use_dora"):
        raise NotPlainLora("it uses DoRA")
    if config.get("bias", "none") != "none" or config.get("lora_bias"):
        raise NotPlainLora("it changes biases")
    if config.get("modules_to_save"):
        raise NotPlainLora("it replaces whole layers")


def _scale(config: dict[str, Any], layer: str, rank: int) -> float:
    patterns: dict[str, float] = config.get("alpha_pattern") or {}
    matching = (a for p, a in patterns.items() if re.match(rf"(.*\.)?({p})$", layer))
    alpha = float(next(matching, config["lora_alpha"]))
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank
