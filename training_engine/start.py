"""How a run begins: who computes it, where, and from which state; before any data is read."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training_engine import devices, distributed, resume, tuning
from training_engine.checkpoints import Opened
from training_engine.contract.names import Phase
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.devices import Placement
from training_engine.distributed import Processes
from training_engine.events import Reporter
from training_engine.identity import identity_of
from training_engine.versions import versions


class ToldToStop(Exception):
    """Somebody asked the run to end before its first step."""


@dataclass(frozen=True)
class Start:
    """What is settled from the beginning; `checkpoint` is None where nothing is continued."""

    run_dir: Path
    spec: RunSpec
    reporter: Reporter
    stop: StopRequests
    processes: Processes
    placement: Placement
    versions: dict[str, str]
    identity: dict[str, Any]
    checkpoint: Opened | None

    def look(self, doing: str) -> None:
        """Say now and then what is being prepared; raises `ToldToStop`, in all processes alike."""
        if self.processes.agreed(self.stop.wanted() is not None):
            raise ToldToStop
        self.reporter.progress(phase=Phase.PREPARING, detail=doing)


def begin(run_dir: Path, spec: RunSpec, reporter: Reporter, stop: StopRequests) -> Start:
    """Join the other processes, choose the device, say so; raises `EngineFailure`."""
    processes = distributed.join(spec.distributed.processes, spec.device)
    placement = devices.choose(spec.device, spec.precision)
    used = versions()
    reporter.events.write(
        "started",
        device=str(placement.device),
        dtype=placement.dtype_name,
        device_reason=placement.reason,
        versions=used,
    )
    reporter.say(f"device {placement.device}, {placement.dtype_name}: {placement.reason}")
    set_determinism(spec)
    identity = identity_of(spec)
    checkpoint = resume.find(run_dir, spec, identity, processes, reporter)
    return Start(run_dir, spec, reporter, stop, processes, placement, used, identity, checkpoint)


def set_determinism(spec: RunSpec) -> None:
    """Seed everything; in deterministic mode refuse operations that vary from run to run."""
    torch.manual_seed(spec.hyperparameters.seed)
    if spec.deterministic:
        os.environ |= {**tuning.DETERMINISTIC, **os.environ}  # read at the first multiplication
        torch.use_deterministic_algorithms(True)
        # It would only fill memory that is written anyway.
        torch.utils.deterministic.fill_uninitialized_memory = False
