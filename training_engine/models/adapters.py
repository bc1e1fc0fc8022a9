"""LoRA adapters on a stock model, stored exactly as PEFT stores them."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from training_engine.contract.names import FailureCode
from training_engine.failures import EngineFailure
from training_engine.models.kernels import lora_linear

WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
PEFT_PREFIX = "base_model.model."
ALL_LINEAR = "all-linear"


class LoraLinear(nn.Module):
    """A frozen linear layer with a low-rank addition; B is zero at first, so nothing changes."""

    def __init__(
        self,
        base: nn.Linear,
        rank: int,
        alpha: float,
        dropout: float,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.base_layer = base
        self.scale = alpha / rank
        self.dropout = dropout
        self.enabled = True
        options: dict[str, Any] = {"dtype": base.weight.dtype, "device": base.weight.device}
        self.lora_a = nn.Parameter(torch.empty(rank, base.in_features, **options))
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank, **options))
        # As PEFT initialises it, in float32 so that every type begins with the same numbers.
        start = torch.empty(rank, base.in_features)
        nn.init.kaiming_uniform_(start, a=math.sqrt(5), generator=generator)
        with torch.no_grad():
            self.lora_a.copy_(start)

    def forward(self, x: Tensor) -> Tensor:
        """[…, in] → […, out]."""
        weight, bias = self.base_layer.weight, self.base_layer.bias
        if not self.enabled:
            return nn.functional.linear(x, weight, bias)
        if self.dropout and self.training:
            dropped = nn.functional.dropout(x, self.dropout)
            added = nn.functional.linear(nn.functional.linear(dropped, self.lora_a), self.lora_b)
            return nn.functional.linear(x, weight, bias) + self.scale * added
        return lora_linear(x, weight, bias, self.lora_a, self.lora_b, self.scale)


def targets_of(model: nn.Module, wanted: list[str] | Literal["all-linear"]) -> list[str]:
    """Full names of the layers that get an adapter: PEFT's matching, never the output head.

    Raises `EngineFailure` when a wanted name matches no linear layer.
    """
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    linear = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    ]
    if wanted == ALL_LINEAR:
        found = linear
    else:
        found = [name for name in linear if any(_matches(name, want) for want in wanted)]
        missing = [want for want in wanted if not any(_matches(name, want) for name in linear)]
        if missing:
            known = ", ".join(sorted({name.rpartition(".")[2] for name in linear}))
            raise EngineFailure(
                FailureCode.BAD_SPEC,
                f"The model has no linear layer named {', '.join(missing)}.",
                f"Choose target modules among: {known}; or all-linear.",
            )
    if not found:
        raise EngineFailure(
            FailureCode.BAD_SPEC,
            "The model has no linear layer that could take a LoRA adapter.",
            "Use full tuning for this model.",
        )
    return found


def _matches(name: str, wanted: str) -> bool:
    return name == wanted or name.endswith(f".{wanted}")


def add_lora(
    model: nn.Module,
    *,
    rank: int,
    alpha: float,
    dropout: float,
    wanted: list[str] | Literal["all-linear"],
    generator: torch.Generator | None = None,
) -> list[str]:
    """Freeze the model and put adapters on its layers; returns their names.

    A is drawn from `generator`; B is zero, so that the model answers as before. Raises
    `EngineFailure` for names that are no layer.
    """
    model.requires_grad_(False)
    names = targets_of(model, wanted)
    for name in names:
        parent, _, last = name.rpartition(".")
        owner = model.get_submodule(parent)
        setattr(owner, last, LoraLinear(getattr(owner, last), rank, alpha, dropout, generator))
    return names


def lora_layers(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """Every layer with an adapter and its name."""
    for name, module in model.named_modules():
        if isinstance(module, LoraLinear):
            yield name, module


def enable(model: nn.Module, enabled: bool) -> None:
    """Switch all adapters on or off: off is the base model."""
    for _, layer in lora_layers(model):
        layer.enabled = enabled


def peft_tensors(model: nn.Module, masters: dict[str, Tensor]) -> dict[str, Tensor]:
    """The adapters under PEFT's names; `masters` holds float32 values by parameter name."""
    found = {}
    for name, layer in lora_layers(model):
        for ours, theirs, parameter in (
            ("lora_a", "lora_A", layer.lora_a),
            ("lora_b", "lora_B", layer.lora_b),
        ):
            value = masters.get(f"{name}.{ours}", parameter)
            found[f"{PEFT_PREFIX}{name}.{theirs}.weight"] = value.detach().cpu().contiguous()
    return found


def save_adapter(
    folder: Path,
    model: nn.Module,
    masters: dict[str, Tensor],
    *,
    base_model: str,
    revision: str | None,
    rank: int,
    alpha: float,
    dropout: float,
) -> None:
    """Write the two files that stock PEFT loads. `base_model` is an id, never a path of ours."""
    from safetensors.torch import save_file

    save_file(peft_tensors(model, masters), folder / WEIGHTS_FILE, metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_model,
        "revision": revision,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": int(alpha) if float(alpha).is_integer() else alpha,
        "lora_dropout": dropout,
        "target_modules": _short_names(model),
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "modules_to_save": None,
        "use_rslora": False,
        "use_dora": False,
    }
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2))


def _short_names(model: nn.Module) -> list[str]:
    """Last parts of the names when PEFT would find the same layers by them, else full names."""
    names = [name for name, _ in lora_layers(model)]
    short = sorted({name.rpartition(".")[2] for name in names})
    others = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and not name.endswith(".base_layer")
    ]
    ambiguous = any(_matches(name, want) for name in others for want in short)
    return sorted(names) if ambiguous else short


def load_adapter(model: nn.Module, folder: Path) -> None:
    """Add the adapter of a folder to a model that has none; for serving and evaluation.

    Raises `KeyError` when a tensor is missing, `OSError` when a file is.
    """
    from safetensors.torch import load_file

    config = json.loads((folder / CONFIG_FILE).read_text())
    tensors = load_file(folder / WEIGHTS_FILE)
    add_lora(
        model,
        rank=config["r"],
        alpha=config["lora_alpha"],
        dropout=0.0,
        wanted=config["target_modules"],
    )
    with torch.no_grad():
        for name, layer in lora_layers(model):
            layer.lora_a.copy_(tensors[f"{PEFT_PREFIX}{name}.lora_A.weight"])
            layer.lora_b.copy_(tensors[f"{PEFT_PREFIX}{name}.lora_B.weight"])
