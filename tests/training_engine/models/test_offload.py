"""Activations are moved to the host and back; weights stay, and gradients are what they were."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from tests.training_engine.models.fast.test_equality import gradients, make
from tests.training_engine.models.test_families import row
from training_engine.models import attention, load
from training_engine.models.forward import Decoder
from training_engine.models.offload import SMALLEST_BYTES, MovedActivations

# Frozen matrices of 128 KiB: they would be worth moving.
WIDE = {"intermediate_size": 512}


class Host:
    """Stands in for the computer's memory: what came there, and copies that go back."""

    def __init__(self) -> None:
        self.moved: list[Tensor] = []

    @property
    def hooks(self) -> saved_tensors_hooks:
        return saved_tensors_hooks(self._take, lambda packed: packed[0])

    def _take(self, tensor: Tensor) -> Any:
        self.moved.append(tensor)
        return (tensor.clone(),)


def storages(tensors: Any) -> set[int]:
    return {tensor.untyped_storage().data_ptr() for tensor in tensors}


def test_weights_and_what_is_small_stay_and_gradients_are_the_same() -> None:
    model = make("llama", **WIDE)
    wanted, expected = gradients(make("llama", **WIDE))
    host = Host()
    with MovedActivations(model, host.hooks):
        got, actual = gradients(model)
    torch.testing.assert_close(got, wanted, rtol=0, atol=0)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient, rtol=0, atol=0)
    assert not storages(host.moved) & storages(model.parameters())
    assert all(t.numel() * t.element_size() >= SMALLEST_BYTES for t in host.moved)
    wide = sum(tensor.shape[-1] == WIDE["intermediate_size"] for tensor in host.moved)
    assert wide >= 3 * 2  # of every layer what its activation and its product need


def test_views_of_weights_and_buffers_stay_too() -> None:
    model = torch.nn.Linear(256, 256)
    model.register_buffer("scale", torch.rand(256, 256))
    host = Host()
    x = torch.randn(300, 256, requires_grad=True)
    with MovedActivations(model, host.hooks):
        out = (x @ model.weight.t()[:, :200] @ model.scale[:200]).sigmoid()
    out.sum().backward()
    # The input, for the gradient of the weight, and what came out, for that of the sigmoid.
    assert [tuple(tensor.shape) for tensor in host.moved] == [(300, 256), (300, 256)]
    assert not storages(host.moved) & storages([model.weight, model.scale])


@pytest.mark.parametrize("packed", [True, False])
def test_a_model_moves_what_it_keeps_in_training_only(
    monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    host = Host()
    monkeypatch.setattr("training_engine.models.offload.save_on_cpu", lambda **_: host.hooks)
    monkeypatch.setattr("training_engine.models.offload.SMALLEST_BYTES", 0)
    losses = []
    for offload in (False, True):
        forward = Decoder(make("llama"), packed=packed, offload=offload)
        load.set_attention(forward.model, attention.NAME if packed else load.STOCK_ATTENTION)
        with torch.no_grad():
            forward.cross_entropy(row())
        assert not host.moved
        loss = forward.cross_entropy(row())
        loss.backward()
        losses.append((loss.detach(), forward.model.model.layers[0].mlp.up_proj.lora_a.grad))
    assert host.moved
    assert not storages(host.moved) & storages(forward.model.parameters())
    torch.testing.assert_close(losses[0], losses[1], rtol=0, atol=0)
