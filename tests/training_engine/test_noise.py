"""The random numbers of a run go into its checkpoints, whatever the device."""

import pytest
import torch

from training_engine import noise
from training_engine.distributed import Processes


def test_an_apple_gpu_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its generator is played by one of the CPU: dropout draws from it."""
    apple = torch.Generator().manual_seed(5)
    monkeypatch.setattr(torch.mps, "get_rng_state", apple.get_state)
    monkeypatch.setattr(torch.mps, "set_rng_state", apple.set_state)
    device, alone = torch.device("mps"), Processes()
    states = noise.all_states(alone, device)
    assert states.keys() == {"cpu", "mps"}
    drawn = torch.rand(8, generator=apple), torch.rand(8)
    noise.take_up(states, alone, device, seed=1, step=3)
    assert torch.equal(torch.rand(8, generator=apple), drawn[0])
    assert torch.equal(torch.rand(8), drawn[1])
