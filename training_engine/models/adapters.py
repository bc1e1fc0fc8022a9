"""LoRA adapters of our own: lean to run and to import, saved in the format of stock PEFT.

Hu et al. 2021, arXiv:2106.09685. Names, shapes and the configuration file are PEFT's, so that
`PeftModel.from_pretrained` loads what is saved here, and what PEFT saved loads here.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from training_engine.models.kernels import lora_linear

ADAPTER_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
KEY_PREFIX = "base_model.model."
HEAD_NAMES = ("lm_head", "score", "classifier", "embed_out")


class UnknownTarget(ValueError):
    """A name in `target_modules` is no linear layer of this model."""


class LoraLinear(nn.Module):
    """A frozen linear layer beside two small learnt ones: `lora_A` (r, in), `lora_B` (out, r)."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float, dropout: float) -> None:
        super().__init__()
        self.weight, self.bias = base.weight, base.bias
        self.in_features, self.out_features = base.in_features, base.out_features
        device = base.weight.device
        self.lora_A = nn.Parameter(torch.empty(rank, base.in_features, device=device))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank, device=device))
        self.scale = alpha / rank
        self.dropout = dropout
        self.enabled = True

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        if not self.enabled:
            return functional.linear(x, self.weight, self.bias)
        if self.dropout > 0 and self.training:
            y = functional.linear(x, self.weight, self.bias)
            seen = functional.dropout(x, self.dropout)
            low = functional.linear(seen, self.lora_A.to(x.dtype))
            return y + functional.linear(low, self.lora_B.to(x.dtype)) * self.scale
        return lora_linear(x, self.weight, self.bias, self.lora_A, self.lora_B, self.scale)


def linear_names(model: nn.Module) -> list[str]:
    """Full names of all linear layers but the head: what `all-linear` means."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] not in HEAD_NAMES
    ]


def _chosen(model: nn.Module, targets: list[str] | str) -> list[str]:
    names = linear_names(model)
    if targets == "all-linear":
        return names
    wanted = [targets] if isinstance(targets, str) else targets
    chosen = [n for n in names if any(n == t or n.endswith(f".{t}") for t in wanted)]
    unknown = [t for t in wanted if not any(n == t or n.endswith(f".{t}") for n in names)]
    if unknown:
        known = sorted({n.rpartition(".")[2] for n in names})
        text = f"This model has no layer {', '.join(unknown)}; it has {', '.join(known)}."
        raise UnknownTarget(text)
    return chosen


def attach(
    model: nn.Module,
    *,
    rank: int,
    alpha: float,
    dropout: float = 0.0,
    targets: list[str] | str = "all-linear",
    generator: torch.Generator | None = None,
) -> list[str]:
    """Freeze the model and put an adapter beside every target; returns their full names.

    `lora_A` begins as PEFT's does (Kaiming uniform, a = √5), drawn from `generator`; `lora_B` is
    zero, so that the model answers as before. Raises `UnknownTarget`.
    """
    model.requires_grad_(False)
    names = _chosen(model, targets)
    for name in names:
        parent_name, _, leaf = name.rpartition(".")
        parent = model.get_submodule(parent_name)
        adapter = LoraLinear(getattr(parent, leaf), rank, alpha, dropout)
        bound = math.sqrt(3) * math.sqrt(2 / (1 + 5)) / math.sqrt(adapter.in_features)
        with torch.no_grad():
            start = torch.rand(adapter.lora_A.shape, generator=generator) * 2 - 1
            adapter.lora_A.copy_(start * bound)
        setattr(parent, leaf, adapter)
    return names


def adapters(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """Every adapter with its full name, in the order of the model."""
    for name, module in model.named_modules():
        if isinstance(module, LoraLinear):
            yield name, module


def parameters(model: nn.Module) -> list[nn.Parameter]:
    """What learns: `lora_A` and `lora_B` of every adapter."""
    return [p for _, adapter in adapters(model) for p in (adapter.lora_A, adapter.lora_B)]


def state(model: nn.Module) -> dict[str, Tensor]:
    """The adapters under PEFT's names."""
    found = {}
    for name, adapter in adapters(model):
        found[f"{KEY_PREFIX}{name}.lora_A.weight"] = adapter.lora_A.detach()
        found[f"{KEY_PREFIX}{name}.lora_B.weight"] = adapter.lora_B.detach()
    return found


def load_state(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put saved adapters into attached ones; raises `KeyError` when a tensor is missing."""
    with torch.no_grad():
        for name, adapter in adapters(model):
            adapter.lora_A.copy_(tensors[f"{KEY_PREFIX}{name}.lora_A.weight"])
            adapter.lora_B.copy_(tensors[f"{KEY_PREFIX}{name}.lora_B.weight"])


def configuration(model: nn.Module, base_name: str, revision: str | None) -> dict[str, Any]:
    """`adapter_config.json` as PEFT reads it."""
    found = dict(adapters(model))
    first = next(iter(found.values()))
    leaves = sorted({name.rpartition(".")[2] for name in found})
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name,
        "revision": revision,
        "inference_mode": True,
        "r": first.lora_A.shape[0],
        "lora_alpha": first.scale * first.lora_A.shape[0],
        "lora_dropout": first.dropout,
        "target_modules": leaves,
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "use_rslora": False,
        "use_dora": False,
        "modules_to_save": None,
    }


def save(model: nn.Module, folder: Path, base_name: str, revision: str | None = None) -> None:
    """Write adapter and configuration, fp32, as stock PEFT would."""
    from safetensors.torch import save_file

    tensors = {name: tensor.float().cpu().contiguous() for name, tensor in state(model).items()}
    save_file(tensors, folder / ADAPTER_FILE, metadata={"format": "pt"})
    config = configuration(model, base_name, revision)
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2))


def attach_saved(model: nn.Module, folder: Path) -> None:
    """Put a saved adapter (ours or stock PEFT's plain LoRA) beside a freshly loaded model."""
    from safetensors.torch import load_file

    config = json.loads((folder / CONFIG_FILE).read_text())
    targets = config["target_modules"]
    rank, alpha = int(config["r"]), float(config["lora_alpha"])
    attach(model, rank=rank, alpha=alpha, targets=targets)
    load_state(model, load_file(folder / ADAPTER_FILE))
