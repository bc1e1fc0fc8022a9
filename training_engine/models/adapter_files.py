"""An adapter as a folder that stock PEFT loads: names of tensors, configuration, and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training_engine.contract.choices import Head, LoraVariant, Quantization
from training_engine.contract.model_folder import ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE
from training_engine.models.adapters import add_lora, classification_head, linear_names, matches
from training_engine.models.lora import DoraLinear, LoraLinear, lora_layers
from training_engine.models.quantised import write_quantization

PEFT_PREFIX = "base_model.model."
TASK_TYPES = {
    Head.CAUSAL_LM: "CAUSAL_LM",
    Head.SEQUENCE_CLASSIFICATION: "SEQ_CLS",
    Head.SEQ2SEQ_LM: "SEQ_2_SEQ_LM",
}


@dataclass(frozen=True)
class AdapterFacts:
    """What an adapter's configuration says beside its layers.

    `base_model` is an id, never a path of ours.
    """

    base_model: str
    revision: str | None
    rank: int
    alpha: float
    dropout: float
    variant: LoraVariant = LoraVariant.LORA
    head: Head = Head.CAUSAL_LM
    quantization: Quantization | None = None

    @property
    def stored_rank(self) -> int:
        """Rank in the file: PiSSA's difference from its start has twice the rank."""
        return self.rank * self._widening

    @property
    def stored_alpha(self) -> int | float:
        """Alpha in the file, which keeps the scale of the wider product."""
        alpha = self.alpha * self._widening
        return int(alpha) if float(alpha).is_integer() else alpha

    @property
    def _widening(self) -> int:
        return 2 if self.variant is LoraVariant.PISSA else 1


def peft_tensors(model: nn.Module, masters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Adapters and head under PEFT's names; `masters` holds float32 values by parameter name."""
    found = {}
    for name, layer in lora_layers(model):
        a = masters.get(f"{name}.lora_a", layer.lora_a).detach()
        b = masters.get(f"{name}.lora_b", layer.lora_b).detach()
        a, b = layer.stored_factors(a, b)
        found[f"{PEFT_PREFIX}{name}.lora_A.weight"] = a
        found[f"{PEFT_PREFIX}{name}.lora_B.weight"] = b
        if isinstance(layer, DoraLinear):
            lengths = masters.get(f"{name}.magnitude", layer.magnitude)
            found[f"{PEFT_PREFIX}{name}.lora_magnitude_vector"] = lengths
    for head in classification_head(model):
        for rest, value in model.get_submodule(head).state_dict().items():
            name = f"{head}.{rest}"
            found[f"{PEFT_PREFIX}{name}"] = masters.get(name, value)
    return {name: value.detach().cpu().contiguous() for name, value in found.items()}


def save_adapter(
    folder: Path, model: nn.Module, masters: Mapping[str, Tensor], facts: AdapterFacts
) -> None:
    """Write the two files that stock PEFT loads, and how the base was stored if it was packed."""
    from safetensors.torch import save_file

    save_file(
        peft_tensors(model, masters), folder / ADAPTER_WEIGHTS_FILE, metadata={"format": "pt"}
    )
    text = json.dumps(peft_config(model, facts), indent=2)
    (folder / ADAPTER_CONFIG_FILE).write_text(text)
    if facts.quantization is not None:
        write_quantization(folder, facts.quantization)


def peft_config(model: nn.Module, facts: AdapterFacts) -> dict[str, Any]:
    """adapter_config.json in PEFT's words."""
    return {
        "peft_type": "LORA",
        "task_type": TASK_TYPES[facts.head],
        "base_model_name_or_path": facts.base_model,
        "revision": facts.revision,
        "inference_mode": True,
        "r": facts.stored_rank,
        "lora_alpha": facts.stored_alpha,
        "lora_dropout": facts.dropout,
        "target_modules": _short_names(model),
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "modules_to_save": sorted(classification_head(model)) or None,
        "use_rslora": facts.variant is LoraVariant.RSLORA,
        "use_dora": facts.variant is LoraVariant.DORA,
    }


def _short_names(model: nn.Module) -> list[str]:
    """Last parts of the names when PEFT would find the same layers by them, else full names."""
    names = [name for name, _ in lora_layers(model)]
    short = sorted({name.rpartition(".")[2] for name in names})
    linear = linear_names(model, classification_head(model))
    others = [name for name in linear if not name.endswith(".base_layer")]
    ambiguous = any(matches(name, want) for name in others for want in short)
    return sorted(names) if ambiguous else short


def load_adapter(model: nn.Module, folder: Path) -> None:
    """Add the adapter of a folder to a model that has none; for evaluation.

    Raises `KeyError` when a tensor is missing, `OSError` when a file is.
    """
    from safetensors.torch import load_file

    config = json.loads((folder / ADAPTER_CONFIG_FILE).read_text())
    tensors = load_file(folder / ADAPTER_WEIGHTS_FILE)
    variant = LoraVariant.LORA
    if config.get("use_dora"):
        variant = LoraVariant.DORA
    elif config.get("use_rslora"):
        variant = LoraVariant.RSLORA
    add_lora(
        model,
        rank=config["r"],
        alpha=config["lora_alpha"],
        dropout=0.0,
        wanted=config["target_modules"],
        variant=variant,
    )
    with torch.no_grad():
        for name, layer in lora_layers(model):
            _take_over(layer, PEFT_PREFIX + name, tensors)
        for head in classification_head(model):
            for rest, value in model.get_submodule(head).state_dict().items():
                value.copy_(tensors[f"{PEFT_PREFIX}{head}.{rest}"])


def _take_over(layer: LoraLinear, name: str, tensors: Mapping[str, Tensor]) -> None:
    layer.lora_a.copy_(tensors[f"{name}.lora_A.weight"])
    layer.lora_b.copy_(tensors[f"{name}.lora_B.weight"])
    if isinstance(layer, DoraLinear):
        layer.magnitude.copy_(tensors[f"{name}.lora_magnitude_vector"])
