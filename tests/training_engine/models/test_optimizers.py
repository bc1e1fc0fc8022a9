"""Optimizers over the masters: each learns, resumes to the bit and follows its rules."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from training_engine.contract.choices import LoraVariant, Optimizer
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.models import method
from training_engine.models.adapters import add_lora
from training_engine.models.weights import TrainableWeights


class Small(nn.Module):
    """An embedding, two matrices (one large enough for eight bits) and a norm."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(20, 64)
        self.first = nn.Linear(64, 96)
        self.norm = nn.LayerNorm(96)
        self.head = nn.Linear(96, 8, bias=False)
        self.to(dtype)

    def get_output_embeddings(self) -> nn.Module:
        return self.head

    def loss(self, seed: int) -> torch.Tensor:
        ids = torch.randint(0, 20, (16,), generator=torch.Generator().manual_seed(seed))
        logits = self.head(self.norm(self.first(self.embedding(ids)).relu()))
        return nn.functional.cross_entropy(logits.float(), ids % 8)


def weights_of(model: nn.Module, optimizer: Optimizer, **knobs: Any) -> TrainableWeights:
    return method.trainable_weights(model, Hyperparameters(optimizer=optimizer, **knobs))


def advance(model: Small, weights: TrainableWeights, step: int) -> float:
    weights.zero_gradients()
    loss = model.loss(step)
    loss.backward()
    weights.clip(1.0)
    weights.step(0.01)
    return loss.item()


@pytest.mark.parametrize("optimizer", Optimizer)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_resumed_to_the_bit(tmp_path: Path, optimizer: Optimizer, dtype: torch.dtype) -> None:
    from safetensors.torch import load_file, save_file

    model = Small(dtype)
    weights = weights_of(model, optimizer, weight_decay=0.1)
    for step in range(3):
        advance(model, weights, step)
    save_file({k: v.clone() for k, v in weights.masters.items()}, tmp_path / "weights")
    save_file({k: v.clone() for k, v in weights.optimizer_tensors().items()}, tmp_path / "moments")
    for step in range(3, 6):
        advance(model, weights, step)

    torch.manual_seed(9)
    other = Small(dtype)
    taken = weights_of(other, optimizer, weight_decay=0.1)
    taken.load(load_file(tmp_path / "weights"))
    taken.load_optimizer(load_file(tmp_path / "moments"))
    for step in range(3, 6):
        advance(other, taken, step)
    for name, value in weights.masters.items():
        assert torch.equal(taken.masters[name], value)
        assert torch.equal(other.get_parameter(name), model.get_parameter(name))


@pytest.mark.parametrize("optimizer", [Optimizer.ADAMW, Optimizer.MUON, Optimizer.ADAFACTOR])
def test_what_is_loaded_lies_where_a_step_would_put_it(optimizer: Optimizer) -> None:
    """Fused kernels on a GPU read the count of steps there; the device without memory stands in."""
    weights = weights_of(Small(torch.float32), optimizer)
    weights.step(0.01)
    stored = weights.optimizer_tensors()
    with torch.device("meta"):
        taken = weights_of(Small(torch.float32), optimizer)
    taken.load_optimizer(stored)
    places = {name: value.device.type for name, value in taken.optimizer_tensors().items()}
    assert places.keys() == stored.keys()
    on_cpu = {name for name, place in places.items() if place == "cpu"}
    counts = {name for name in places if name.endswith(".step")}
    assert on_cpu == (counts if optimizer is Optimizer.ADAFACTOR else set())


@pytest.mark.parametrize("optimizer", Optimizer)
def test_bytes_that_the_first_step_allocates(optimizer: Optimizer) -> None:
    model = Small(torch.float32)
    weights = weights_of(model, optimizer)
    expected = weights.optimizer_bytes_to_come()
    advance(model, weights, 0)
    state = weights.optimizer_tensors()
    found = sum(value.nbytes for value in state.values() if value.ndim)
    assert expected == pytest.approx(found, rel=0.02)
    assert weights.optimizer_bytes_to_come() == 0


@pytest.mark.parametrize("optimizer", Optimizer)
def test_it_learns(optimizer: Optimizer) -> None:
    model = Small(torch.float32)
    weights = weights_of(model, optimizer)
    losses = [advance(model, weights, step % 4) for step in range(40)]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("optimizer", [Optimizer.ADAMW, Optimizer.ADAMW_8BIT])
def test_lora_plus_moves_b_faster(tiny_model: Path, optimizer: Optimizer) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    add_lora(model, rank=4, alpha=8, dropout=0.0, wanted=["q_proj", "v_proj"])
    weights = weights_of(model, optimizer, lora_variant=LoraVariant.LORA_PLUS, lora_plus_ratio=16)
    before = {name: value.clone() for name, value in weights.masters.items()}
    for gradient in weights.gradients.values():
        gradient.fill_(1.0)
    weights.step(1e-3)
    for name, value in weights.masters.items():
        moved = (value - before[name]).abs()
        wanted = 16e-3 if name.endswith("lora_b") else 1e-3
        torch.testing.assert_close(moved, torch.full_like(moved, wanted), rtol=1e-3, atol=1e-7)


def test_adafactor_moves_what_begins_at_zero(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    add_lora(model, rank=4, alpha=8, dropout=0.0, wanted=["q_proj"])
    weights = weights_of(model, Optimizer.ADAFACTOR)
    for gradient in weights.gradients.values():
        gradient.fill_(1.0)
    weights.step(1e-3)
    moved = [v.abs().mean().item() for n, v in weights.masters.items() if n.endswith("lora_b")]
    assert moved == pytest.approx([1e-3] * len(moved), rel=0.01)


def test_muon_takes_hidden_matrices_only() -> None:
    model = Small(torch.float32)
    weights = weights_of(model, Optimizer.MUON)
    for step in range(2):
        advance(model, weights, step)
    keys = {name.partition(".")[2] for name in weights.optimizer_tensors()}
    assert keys == {"momentum_buffer", "exp_avg", "exp_avg_sq", "step"}
    sizes = [v.shape for k, v in weights.optimizer_tensors().items() if "momentum" in k]
    assert sizes == [model.first.weight.shape]


def test_eight_bits_take_a_quarter_of_the_memory() -> None:
    def moments(optimizer: Optimizer) -> int:
        model = Small(torch.float32)
        weights = weights_of(model, optimizer)
        advance(model, weights, 0)
        return sum(value.nbytes for value in weights.optimizer_tensors().values())

    assert moments(Optimizer.ADAMW_8BIT) < 0.3 * moments(Optimizer.ADAMW)


def test_adamw_is_torchs_own() -> None:
    model, plain = Small(torch.float32), Small(torch.float32)
    weights = weights_of(model, Optimizer.ADAMW)
    optimizer = torch.optim.AdamW(plain.parameters(), lr=0.01, weight_decay=0.0)
    for step in range(3):
        advance(model, weights, step)
        optimizer.zero_grad()
        plain.loss(step).backward()
        nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimizer.step()
    for name, value in plain.named_parameters():
        torch.testing.assert_close(weights.masters[name], value.detach(), rtol=1e-4, atol=1e-6)
