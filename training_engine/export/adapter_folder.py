"""Reads a LoRA adapter as PEFT writes it, and refuses every other kind by name.

Hu et al. 2021, arXiv:2106.09685; the scale over the root of the rank (rsLoRA): Kalajdzievski 2023,
arXiv:2312.03732; lengths of rows apart from their directions (DoRA): Liu et al. 2024,
arXiv:2402.09353.
"""

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from training_engine.contract.choices import Head, Quantization
from training_engine.contract.model_folder import CONFIG_FILE as MODEL_CONFIG_FILE
from training_engine.contract.model_folder import read_object
from training_engine.models.adapter_files import TASK_TYPES
from training_engine.models.quantised import read_quantization

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
HEADS = {task: head for head, task in TASK_TYPES.items()}
_PREFIX = "base_model.model."
_FACTOR = re.compile(r"(.+)\.lora_(?:(A|B)\.weight|(magnitude)_vector(?:\.weight)?)")


class NotPlainLora(Exception):
    """The adapter does more than change linear layers; the text says what."""


@dataclass(frozen=True)
class Factors:
    """What an adapter adds to one layer: `scale` · `up` (out, r) · `down` (r, in), fp32.

    `magnitude` (out,): the length that every row of the sum then gets, for DoRA. `transposed`: the
    layer stores its matrix as (in, out), as GPT-2 does.
    """

    down: Tensor
    up: Tensor
    scale: float
    transposed: bool
    magnitude: Tensor | None = None

    def stretch(self, weight: Tensor) -> Tensor | None:
        """What DoRA multiplies the rows of the sum with, (out,); `weight` (out, in) fp32.

        The order of the sums is PEFT's, so that both round alike.
        """
        if self.magnitude is None:
            return None
        added = (self.up @ self.down).to(weight.device)
        lengths = torch.linalg.norm(weight + self.scale * added, dim=1)
        return self.magnitude.to(weight.device) / lengths

    def merged(self, weight: Tensor) -> Tensor:
        """The layer's matrix with the adapter in it, as it is stored; fp32 in, fp32 out."""
        straight = weight.T if self.transposed else weight
        whole = straight + (self.up @ self.down) * self.scale
        if (stretch := self.stretch(straight)) is not None:
            whole = stretch[:, None] * whole
        return whole.T if self.transposed else whole


@dataclass(frozen=True)
class StoredAdapter:
    """An adapter folder: factors by layer (as in the model's modules), and what else it holds.

    `replaced`: whole tensors by name, such as a classification head. `quantization`: how its base
    was stored when it was trained.
    """

    factors: dict[str, Factors]
    replaced: dict[str, Tensor] = field(default_factory=dict)
    quantization: Quantization | None = None
    head: Head = Head.CAUSAL_LM


def read_adapter(folder: Path) -> StoredAdapter:
    """Everything an adapter does to its base.

    Raises `NotPlainLora`, or `OSError` and `ValueError` for files that can not be read.
    """
    config: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
    _refuse_other_kinds(config)
    try:
        tensors = load_file(folder / WEIGHTS_FILE)
    except SafetensorError as error:
        raise ValueError(f"{WEIGHTS_FILE} is damaged: {error}") from error
    pairs: dict[str, dict[str, Tensor]] = {}
    replaced: dict[str, Tensor] = {}
    whole = [f".{module}." for module in config.get("modules_to_save") or ()]
    for key, tensor in tensors.items():
        name = key.removeprefix(_PREFIX)
        match = _FACTOR.fullmatch(name)
        if match is not None and key != name:
            pairs.setdefault(match[1], {})[match[2] or match[3]] = tensor.to(torch.float32)
        elif key != name and any(module in f".{name}" for module in whole):
            replaced[name] = tensor
        else:
            raise NotPlainLora(f"it holds {key}")
    dora = {"magnitude"} if config.get("use_dora") else set()
    for layer, pair in pairs.items():
        if pair.keys() != {"A", "B"} | dora:
            raise ValueError(f"one of the matrices of layer {layer} is missing")
    factors = {
        layer: Factors(
            pair["A"],
            pair["B"],
            _scale(config, layer, len(pair["A"])),
            bool(config.get("fan_in_fan_out")),
            pair.get("magnitude"),
        )
        for layer, pair in pairs.items()
    }
    head = HEADS.get(str(config.get("task_type")), Head.CAUSAL_LM)
    return StoredAdapter(factors, replaced, read_quantization(folder), head)


def read_factors(folder: Path) -> dict[str, Factors]:
    """Layer name → factors, of an adapter that holds nothing else; raises as `read_adapter`."""
    adapter = read_adapter(folder)
    config: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
    if adapter.replaced or config.get("modules_to_save"):
        raise NotPlainLora("it replaces whole layers")
    return adapter.factors


def _refuse_other_kinds(config: dict[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise NotPlainLora(f"its type is {config.get('peft_type')}")
    if config.get("bias", "none") != "none" or config.get("lora_bias"):
        raise NotPlainLora("it changes biases")


def _scale(config: dict[str, Any], layer: str, rank: int) -> float:
    patterns: dict[str, float] = config.get("alpha_pattern") or {}
    matching = (a for p, a in patterns.items() if re.match(rf"(.*\.)?({p})$", layer))
    alpha = float(next(matching, config["lora_alpha"]))
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank


def label_settings(folder: Path) -> dict[str, Any]:
    """How many classes a classifier tells apart, and its padding, as stands beside its adapter."""
    config = read_object(folder / MODEL_CONFIG_FILE)
    names = config.get("id2label") or {"0": "LABEL_0"}
    found: dict[str, Any] = {"num_labels": len(names)}
    if config.get("pad_token_id") is not None:
        found["pad_token_id"] = config["pad_token_id"]
    return found
