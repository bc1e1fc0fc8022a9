"""A tiny model, an adapter that stock PEFT made for it, and a worker that serves them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from tests.tiny_model import build_tiny_model
from tests.training_engine.serve.worker import Worker, running

PEFT_WARNING = "ignore:.is_gradient_checkpointing:FutureWarning"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama with layers strong enough, and a head of its own, to say varied things."""
    folder = build_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    tensors = load_file(folder / "model.safetensors")
    torch.manual_seed(0)
    for name, tensor in tensors.items():
        if "proj" in name:
            tensor.normal_(std=0.3)
    tensors["lm_head.weight"] = torch.randn(260, 64) * 0.2
    # Special tokens, which would end an answer early, are made unlikely.
    tensors["lm_head.weight"][256:] = 0
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    return folder


def make_adapter(base: Path, folder: Path, spread: float = 0.2, **options: object) -> Path:
    """An adapter with random values in both matrices, saved by stock PEFT."""
    torch.manual_seed(len(options))
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = {"r": 4, "lora_alpha": 16, "target_modules": "all-linear", **options}
    wrapped = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **config))
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=spread)
    wrapped.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain LoRA for the tiny model."""
    return make_adapter(tiny_model, tmp_path_factory.mktemp("adapters") / "plain")


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """One worker for all tests that leave it alive."""
    with running() as worker:
        worker.wait_ready()
        yield worker
