"""The method of a run, applied to its model and taken off again as files.

`prepare` decides what learns, `trainable_weights` puts masters and optimizer over it, `save`
writes an adapter or a whole model.
"""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training_engine.contract.choices import (
    ADAPTED,
    Head,
    LoraVariant,
    Method,
    Quantization,
    head_of,
)
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.model_folder import code_files
from training_engine.contract.spec import RunSpec
from training_engine.models import load
from training_engine.models.adapter_files import AdapterFacts, save_adapter
from training_engine.models.adapters import add_lora, classification_head, output_layers, within
from training_engine.models.freeze import freeze
from training_engine.models.lora import PissaLinear, lora_layers
from training_engine.models.quantised import QuantisedLinear
from training_engine.models.weights import TrainableWeights


def quantization_of(spec: RunSpec) -> Quantization | None:
    """How the run stores its frozen weights; None in full."""
    return spec.hyperparameters.quantization if spec.method is Method.QLORA else None


def loading_options(spec: RunSpec) -> dict[str, Any]:
    """What `load.load_stock` must know of a run beside its head."""
    return {
        "quantization": quantization_of(spec),
        "trusted_code_sha256": spec.model.trusted_code_sha256,
    }


def makes_adapter(spec: RunSpec) -> bool:
    """Whether the result is an adapter beside its base, not a whole model."""
    return spec.method in ADAPTED


def prepare(model: nn.Module, spec: RunSpec) -> None:
    """Set what learns; adapters start from the run's seed. Raises `EngineFailure`.

    A whole model learns as it was loaded: what it computes by itself stays (Marian's positions).
    """
    knobs = spec.hyperparameters
    if spec.method in ADAPTED:
        add_lora(
            model,
            rank=knobs.lora_rank,
            alpha=knobs.lora_alpha,
            dropout=knobs.lora_dropout,
            wanted=knobs.target_modules,
            generator=torch.Generator().manual_seed(knobs.seed),
            variant=knobs.lora_variant,
        )
    elif spec.method is Method.FREEZE:
        freeze(model, knobs.trainable_layers)


def trainable_weights(
    model: nn.Module,
    knobs: Hyperparameters,
    kind: Callable[..., TrainableWeights] = TrainableWeights,
) -> TrainableWeights:
    """Masters and optimizer over what `prepare` left learning; `kind` puts them together."""
    plus = knobs.lora_variant is LoraVariant.LORA_PLUS
    heads = output_layers(model) | classification_head(model)
    embeddings = {n for n, m in model.named_modules() if isinstance(m, nn.Embedding)}

    def rate_of(name: str) -> float:
        """LoRA+ (https://arxiv.org/abs/2402.12354): B learns faster than A."""
        return knobs.lora_plus_ratio if plus and name.endswith(".lora_b") else 1.0

    return kind(
        model,
        weight_decay=knobs.weight_decay,
        optimizer=knobs.optimizer,
        rate_of=rate_of,
        is_hidden=lambda name: not within(name, heads | embeddings),
        fixed={
            f"{name}.{start}": getattr(layer, start)
            for name, layer in lora_layers(model)
            if isinstance(layer, PissaLinear)
            for start in ("start_a", "start_b")
        },
    )


def parameter_count(model: nn.Module) -> int:
    """All numbers of a model, packed ones included; shared ones once."""
    packed = (m for m in model.modules() if isinstance(m, QuantisedLinear))
    hidden: int = sum(layer.in_features * layer.out_features for layer in packed)
    return hidden + int(sum(p.numel() for p in model.parameters()))


def adapter_facts(spec: RunSpec) -> AdapterFacts:
    """What the adapter of a run says about itself."""
    knobs = spec.hyperparameters
    return AdapterFacts(
        base_model=spec.model.name,
        revision=spec.model.revision,
        rank=knobs.lora_rank,
        alpha=knobs.lora_alpha,
        dropout=knobs.lora_dropout,
        variant=knobs.lora_variant,
        head=head_of(spec.objective),
        quantization=quantization_of(spec),
    )


def save(folder: Path, model: Any, weights: TrainableWeights, spec: RunSpec) -> None:
    """An adapter in PEFT's form, or a whole model in transformers' form.

    Program files that were trusted go along unchanged, so that the consent holds for the result.
    """
    if spec.model.trusted_code_sha256 is not None:
        copy_code(Path(spec.model.path), folder)
    if makes_adapter(spec):
        facts = adapter_facts(spec)
        save_adapter(folder, model, weights.masters, facts)
        if facts.head is Head.SEQUENCE_CLASSIFICATION:
            save_labels(folder, model)
        return
    load.set_attention(model, "sdpa")
    model.config.use_cache = True
    model.config._name_or_path = ""
    model.save_pretrained(folder)


def save_labels(folder: Path, model: Any) -> None:
    """The classifier's configuration beside its adapter: labels stand there, and nowhere else."""
    config = copy.deepcopy(model.config)
    config.architectures = [type(model).__name__]
    config.use_cache = True
    config._name_or_path = ""
    config.save_pretrained(folder)


def copy_code(source: Path, target: Path) -> None:
    """The program files of a model folder, unchanged: a consent is given to exactly these."""
    for path in code_files(source):
        copied = target / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
