"""A run right before its first step, to look into."""

from pathlib import Path

import pytest
import torch

from tests.training_engine.specs import run_here
from training_engine import loop
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.run import Run


def opened(run_dir: Path, spec: RunSpec) -> Run:
    """What the spec's run would train: model, samples, criterion, reference."""
    found: list[Run] = []

    def caught(run: Run) -> loop.Ending:
        found.append(run)
        return loop.Ending.STOPPED

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "train", caught)
        outcome = run_here(run_dir, spec)
    assert outcome.code == ExitCode.STOPPED, outcome.last
    return found[0]


def move(run: Run, size: float = 0.02) -> None:
    """Take the weights some way from where they started, so that a reference differs."""
    generator = torch.Generator().manual_seed(1)
    run.weights.load(
        {
            name: master + size * torch.randn(master.shape, generator=generator)
            for name, master in run.weights.masters.items()
        }
    )
