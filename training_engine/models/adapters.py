"""Puts LoRA adapters on a stock model: which layers get one, of which kind, and what stays whole.

A classification head is new and small: it learns in full beside the adapters.
"""

import math
from typing import Literal

import torch
from torch import nn

from training_engine.contract.choices import LoraVariant
from training_engine.contract.names import FailureCode
from training_engine.failures import EngineFailure
from training_engine.models.lora import (
    Base,
    DoraLinear,
    LoraLinear,
    PissaLinear,
    QuantisedLoraLinear,
)
from training_engine.models.quantised import QuantisedLinear

ALL_LINEAR = "all-linear"
Targets = list[str] | Literal["all-linear"]


def linear_names(model: nn.Module, keep: set[str]) -> list[str]:
    """Full names of the linear layers, plain and packed, without those of `keep` and below."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | QuantisedLinear) and not within(name, keep)
    ]


def within(name: str, modules: set[str]) -> bool:
    """Whether a module or parameter is one of `modules` or lies in one."""
    return any(name == each or name.startswith(f"{each}.") for each in modules)


def output_layers(model: nn.Module) -> set[str]:
    """The vocabulary's output layer: no adapter, and never packed."""
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    return {name for name, module in model.named_modules() if head is not None and module is head}


def classification_head(model: nn.Module) -> set[str]:
    """Names of the modules that turn hidden states into classes: all beside the base model.

    Empty for language models. `model.new_modules` adds what a loader had to start from nothing.
    """
    new: set[str] = set(getattr(model, "new_modules", ()))
    if type(model).__name__.endswith("ForSequenceClassification"):
        body = getattr(model, "base_model_prefix", "")
        for name, child in model.named_children():
            if name != body and next(child.parameters(), None) is not None:
                new.add(name)
    return {name for name in new if not within(name, new - {name})}


def targets_of(model: nn.Module, wanted: Targets) -> list[str]:
    """Full names of the layers that get an adapter: PEFT's matching, never a head.

    Raises `EngineFailure` when a wanted name matches no linear layer.
    """
    linear = linear_names(model, output_layers(model) | classification_head(model))
    if wanted == ALL_LINEAR:
        found = linear
    else:
        found = [name for name in linear if any(matches(name, want) for want in wanted)]
        missing = [want for want in wanted if not any(matches(name, want) for name in linear)]
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


def matches(name: str, wanted: str) -> bool:
    """PEFT's rule: the whole name, or its last parts."""
    return name == wanted or name.endswith(f".{wanted}")


def scale_of(variant: LoraVariant, rank: int, alpha: float) -> float:
    """What B A is multiplied with; rsLoRA (https://arxiv.org/abs/2312.03732) divides by √r."""
    return alpha / math.sqrt(rank) if variant is LoraVariant.RSLORA else alpha / rank


def add_lora(
    model: nn.Module,
    *,
    rank: int,
    alpha: float,
    dropout: float,
    wanted: Targets,
    generator: torch.Generator | None = None,
    variant: LoraVariant = LoraVariant.LORA,
) -> list[str]:
    """Freeze the model, put adapters on its layers; returns their names. A head goes on learning.

    First values are drawn from `generator`, and the model answers as before. Raises
    `EngineFailure` for names that are no layer.
    """
    model.requires_grad_(False)
    for head in classification_head(model):
        model.get_submodule(head).requires_grad_(True)
    names = targets_of(model, wanted)
    scale = scale_of(variant, rank, alpha)
    for name in names:
        parent, _, last = name.rpartition(".")
        owner = model.get_submodule(parent)
        base: Base = getattr(owner, last)
        layer = _class_for(variant, base)(base, rank, scale, dropout, generator)
        setattr(owner, last, layer)
    return names


def _class_for(variant: LoraVariant, base: Base) -> type[LoraLinear]:
    if variant is LoraVariant.DORA:
        return DoraLinear
    if variant is LoraVariant.PISSA:
        return PissaLinear
    return QuantisedLoraLinear if isinstance(base, QuantisedLinear) else LoraLinear
