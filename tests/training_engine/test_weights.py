"""Masters: small updates are kept, gradients of micro-batches are summed, resume is exact."""

import pytest
import torch
from torch import nn

from training_engine.models.weights import TrainableWeights


class Two(nn.Module):
    """A matrix that decays and a bias that does not."""

    def __init__(self, dtype: torch.dtype, value: float = 1.0) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.full((2, 3), value, dtype=dtype))
        self.bias = nn.Parameter(torch.full((3,), value, dtype=dtype))
        self.frozen = nn.Parameter(torch.ones(4, dtype=dtype), requires_grad=False)

    def loss(self) -> torch.Tensor:
        """Gradient 1 for every number."""
        return self.matrix.sum() + self.bias.sum()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_are_summed_over_backward_passes(dtype: torch.dtype) -> None:
    model = Two(dtype)
    weights = TrainableWeights(model, weight_decay=0.0)
    assert weights.count == 9
    for _ in range(3):
        model.loss().backward()
    assert weights.gradients["matrix"].dtype == torch.float32
    assert weights.gradients["matrix"].tolist() == [[3.0] * 3] * 2
    assert weights.clip(1.0) == pytest.approx(9.0)
    assert float(weights.gradients["bias"].norm()) == pytest.approx(3**0.5 / 3)
    weights.zero_gradients()
    assert not weights.gradients["matrix"].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_a_step_does_not_touch_keeps_no_gradient_of_the_step_before(
    dtype: torch.dtype,
) -> None:
    model = Two(dtype)
    weights = TrainableWeights(model, weight_decay=0.0)
    weights.zero_gradients()
    model.loss().backward()
    weights.zero_gradients()
    model.bias.sum().backward()
    assert weights.norm() == pytest.approx(3**0.5)
    assert not weights.gradients["matrix"].any()
    assert not weights.gradient[:6].any()
    # Also when nobody looks before the update.
    still = TrainableWeights(Two(dtype), weight_decay=0.0)
    still.zero_gradients()
    still.step(0.5)
    assert still.masters["matrix"].tolist() == [[1.0] * 3] * 2


def test_sums_are_those_of_float32() -> None:
    """Also where a gradient is converted in pieces."""
    torch.manual_seed(0)
    layer = nn.Embedding(1100, 1000, dtype=torch.bfloat16)  # more than 2**20 numbers
    weights = TrainableWeights(layer, weight_decay=0.0)
    parts = [torch.randn_like(layer.weight) for _ in range(3)]
    weights.zero_gradients()
    for part in parts:
        (layer.weight * part).sum().backward()
    wanted = parts[0].float() + parts[1].float() + parts[2].float()
    assert torch.equal(weights.gradients["weight"], wanted)


def test_updates_too_small_for_the_type_are_kept() -> None:
    model = Two(torch.bfloat16, 256.0)
    weights = TrainableWeights(model, weight_decay=0.0)
    for _ in range(8):
        weights.zero_gradients()
        model.loss().backward()
        weights.step(0.25)  # AdamW moves by the learning rate; bfloat16 has steps of 2 here
    assert weights.masters["bias"].tolist() == pytest.approx([254.0] * 3)
    assert model.bias.tolist() == [254.0] * 3


def test_only_matrices_decay() -> None:
    model = Two(torch.float32)
    weights = TrainableWeights(model, weight_decay=0.5)
    weights.step(0.1)  # no gradient: only decay moves
    assert model.matrix.flatten().tolist() == pytest.approx([0.95] * 6)
    assert model.bias.tolist() == [1.0] * 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_was_stored_goes_on_as_if_nothing_happened(dtype: torch.dtype) -> None:
    def advance(model: Two, weights: TrainableWeights) -> None:
        weights.zero_gradients()
        (model.loss() * 0.7 + (model.matrix**2).sum()).backward()
        weights.clip(10.0)
        weights.step(0.01)

    model = Two(dtype)
    weights = TrainableWeights(model, weight_decay=0.1)
    for _ in range(3):
        advance(model, weights)
    stored = {name: value.clone() for name, value in weights.masters.items()}
    moments = {name: value.clone() for name, value in weights.optimizer_tensors().items()}
    advance(model, weights)

    other = Two(dtype, 7.0)
    taken = TrainableWeights(other, weight_decay=0.1)
    taken.load(stored)
    taken.load_optimizer(moments)
    advance(other, taken)
    for name, value in weights.masters.items():
        assert torch.equal(taken.masters[name], value)
        assert torch.equal(other.get_parameter(name), model.get_parameter(name))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_one_number_that_is_none_is_noticed(bad: float) -> None:
    model = Two(torch.bfloat16)
    weights = TrainableWeights(model, weight_decay=0.0)
    weights.masters["bias"].fill_(torch.finfo(torch.float32).max)
    assert weights.finite()
    weights.masters["matrix"][1, 2] = bad
    assert not weights.finite()
