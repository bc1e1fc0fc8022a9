"""How long a run is and when it measures and saves, settled before the first step."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.data.encode import EncodedSet
from training_engine.duration import evaluation_interval, saving_interval
from training_engine.limits import tokens_that_fit

# When the user says how many samples are computed at once, nothing else limits it.
NO_LIMIT = 2**62


@dataclass
class AtOnce:
    """How much goes through the model together; less of it changes memory, not the result."""

    tokens: int
    samples: int | None


@dataclass(frozen=True)
class Plan:
    """Steps are optimizer steps; every step takes `batch_size` samples, the last maybe fewer."""

    num_samples: int
    total_samples: int
    total_steps: int
    batch_size: int
    evaluation_steps: int
    save_steps: int | None  # None: with every evaluation, and every tenth of the run
    sample_steps: int | None  # None: at the end only

    def epoch(self, position: int) -> float:
        """How often the data set was seen after `position` samples."""
        return round(position / self.num_samples, 4)

    def evaluates(self, step: int) -> bool:
        """Whether the model is measured after this step."""
        return step % self.evaluation_steps == 0 or step == self.total_steps

    def saves(self, step: int) -> bool:
        """Whether a checkpoint is due after this step."""
        every = self.save_steps
        if every is None:
            # Evaluations may be few: where much is held out, or as the user says.
            every = saving_interval(self.total_steps)
            return step % every == 0 or self.evaluates(step)
        return step % every == 0 or step == self.total_steps

    def samples(self, step: int) -> bool:
        """Whether sample answers are due after this step; those of the last come with the end."""
        every = self.sample_steps
        return every is not None and step % every == 0 and step < self.total_steps

    def evaluations_after(self, step: int) -> int:
        """How many evaluations are still to come."""
        end, every = self.total_steps, self.evaluation_steps
        return end // every - step // every + (end % every > 0 and step < end)


def make(knobs: Hyperparameters, train: EncodedSet, held_out: EncodedSet | None = None) -> Plan:
    """The plan of a run over `train`, measured on `held_out`."""
    samples = max(1, round(knobs.epochs * len(train)))
    steps = math.ceil(samples / knobs.batch_size)
    if knobs.max_steps is not None and knobs.max_steps < steps:
        steps, samples = knobs.max_steps, knobs.max_steps * knobs.batch_size
    per_step = len(train.tokens) / len(train) * min(knobs.batch_size, samples)
    every = evaluation_interval(steps, per_step, len(held_out.tokens) if held_out else 0)
    return Plan(
        num_samples=len(train),
        total_samples=samples,
        total_steps=steps,
        batch_size=knobs.batch_size,
        evaluation_steps=knobs.evaluation_steps or every,
        save_steps=knobs.save_steps,
        sample_steps=knobs.sample_steps,
    )


def at_once(
    knobs: Hyperparameters, config: Any, device: torch.device, *, alone: bool, processes: int = 1
) -> AtOnce:
    """How much is computed together; `alone`: one sample at a time, whatever fits.

    `processes`: how many share the run, and on a CPU the memory.
    """
    micro = knobs.micro_batch_size
    tokens = tokens_at_once(config, device, processes) if micro == "auto" else NO_LIMIT
    return AtOnce(tokens, 1 if alone else None if micro == "auto" else micro)


def tokens_at_once(config: Any, device: torch.device, processes: int = 1) -> int:
    """Tokens of one pass, from the sizes in a transformers config and the memory free now."""
    hidden = getattr(config, "hidden_size", 1024)
    return tokens_that_fit(
        device.type,
        free_bytes(device) // (1 if device.type == "cuda" else processes),
        layers=getattr(config, "num_hidden_layers", 24),
        hidden=hidden,
        inner=getattr(config, "intermediate_size", None) or 4 * hidden,
    )


def free_bytes(device: torch.device) -> int:
    """Memory that can be had on a device without pushing others out."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    host = _meminfo("MemAvailable") or 4 * 1024**3
    limit, used = _cgroup("memory.max"), _cgroup("memory.current")
    return min(host, limit - used) if limit is not None and used is not None else host


def _meminfo(name: str) -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return None
    return None


def _cgroup(name: str) -> int | None:
    try:
        own = Path("/proc/self/cgroup").read_text().strip().splitlines()[-1].rpartition(":")[2]
        return int((Path("/sys/fs/cgroup") / own.lstrip("/") / name).read_text())
    except (OSError, ValueError):  # no such group, or no limit ("max")
        return None
