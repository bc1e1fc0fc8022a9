"""A model's modules without its weights: what it consists of, known from its configuration."""

from pathlib import Path
from typing import Any

import torch

from training_engine.contract.choices import Head
from training_engine.models.adapters import classification_head, linear_names, output_layers
from training_engine.models.load import auto_class


def packed_layers(folder: Path, head: Head, *, trusted: bool = False) -> set[str]:
    """Names of the linear layers that QLoRA packs; nothing is read but config.json.

    `trusted`: the folder's own program may be executed. Raises `OSError` or `ValueError` when
    transformers does not know the model.
    """
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trusted)
    with torch.device("meta"):
        model: Any = auto_class(head).from_config(config, trust_remote_code=trusted)
    return set(linear_names(model, output_layers(model) | classification_head(model)))
