"""Whether a run fits, tried before its first step where that is not certain.

The heaviest row there can be goes through the model, forward and backward, first a part of it.
What would not fit is computed in smaller pieces, or refused in the first minute with the numbers,
instead of dying in the midst of the night.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training_engine import compute
from training_engine.contract.names import FailureCode, Phase
from training_engine.failures import EngineFailure, is_out_of_memory
from training_engine.memory import estimate
from training_engine.memory_parts import sequences_of
from training_engine.noise import random_state, set_random_state
from training_engine.plan import free_bytes
from training_engine.run import Run
from training_engine.tuning import return_freed_memory

# Below this share of the free memory nothing has to be tried.
CERTAIN = 0.5
# What a run may take of what was free: others want some of it meanwhile.
USABLE = 0.92
FIRST_PART = 4
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Room:
    """Bytes that this process holds, and the most that it may hold."""

    held: int
    most: int


def expected_bytes(run: Run, config: Mapping[str, Any]) -> int | None:
    """The estimate for these very samples; `config` is the model's config.json."""
    spec, data = run.spec, run.data.train
    # A source and its target count as one: their tokens wait together.
    sequences = sequences_of(spec.objective)
    return estimate(
        config,
        method=spec.method,
        hyperparameters=spec.hyperparameters,
        num_rows=len(data),
        mean_tokens=len(data.tokens) / (len(data) * sequences),
        longest_tokens=math.ceil(max(data.lengths) / sequences),
        validation_rows=len(run.data.evaluation or ()),
        device=run.placement.device.type,
        dtype=run.placement.dtype_name,
        objective=spec.objective,
        distributed=spec.distributed,
    ).memory_bytes


def probe(run: Run, expected: int | None) -> None:
    """Try the heaviest row; `expected` is the estimate of the whole process in bytes.

    Lowers `run.at_once` where the spec allows it. Raises `EngineFailure` when what is left does not
    fit either, or when it may not be lowered.
    """
    device = run.placement.device
    if run.processes.count > 1 or not _measurable(device):
        return
    room = measure_room(device)
    if expected is not None and expected <= CERTAIN * room.most:
        return
    run.reporter.phase(Phase.PREPARING, "Trying whether the longest samples fit into memory")
    before = random_state(device)
    run.model.train()  # as in a step: nothing is computed again otherwise
    while True:
        samples = heaviest(run)
        tokens = compute.computed(run, run.data.train, samples)
        needed = _needed(run, samples, room)
        if needed is not None and needed <= room.most:
            break
        _lower(run, len(samples), tokens, needed, room)
    run.weights.zero_gradients()
    set_random_state(before, device)
    return_freed_memory()
    run.reporter.notice(
        "info",
        "memory_probed",
        f"The longest {len(samples)} samples ({tokens} tokens) were tried: "
        f"{needed / 1e9:.2f} GB of {room.most / 1e9:.2f} GB.",
        needed_bytes=needed,
        available_bytes=room.most,
        tokens=tokens,
    )


def heaviest(run: Run) -> list[int]:
    """Samples of the longest row that any step can have."""
    data, at_once = run.data.train, run.at_once
    longest = sorted(range(len(data)), key=data.length, reverse=True)[: run.plan.batch_size]
    chosen = longest[:1]
    for sample in longest[1:]:
        more = [*chosen, sample]
        if compute.computed(run, data, more) > at_once.tokens or len(chosen) == at_once.samples:
            break
        chosen = more
    return chosen


def _measurable(device: torch.device) -> bool:
    """Whether the peak of a pass can be told: not on Apple GPUs, and on a CPU by Linux only."""
    return device.type == "cuda" or (device.type == "cpu" and _CLEAR.exists())


def measure_room(device: torch.device) -> Room:
    """What is held now, and what could be."""
    if device.type == "cuda":
        held = torch.cuda.memory_reserved(device)
    else:
        return_freed_memory()
        held = _status("VmRSS")
    return Room(held, held + int(USABLE * free_bytes(device)))


def _needed(run: Run, samples: list[int], room: Room) -> int | None:
    """Bytes held in a step with these samples; None when memory ran out.

    A part of them is tried first: what would be far too much never is.
    """
    data, later = run.data.train, run.weights.optimizer_bytes_to_come()
    part = samples[: max(1, len(samples) // FIRST_PART)]
    peak = _peak(run, part)
    if peak is None:
        return None
    tokens, tried = (compute.computed(run, data, each) for each in (samples, part))
    needed = room.held + (peak - room.held) * tokens // tried + later
    if needed > room.most or len(part) == len(samples):
        return needed
    peak = _peak(run, samples)
    return None if peak is None else peak + later


def _peak(run: Run, samples: list[int]) -> int | None:
    """The most bytes held while these samples are learnt from; None when memory ran out."""
    device = run.placement.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        _CLEAR.write_text("5")  # the peak begins anew
    fits = True
    try:
        compute.measure(run, run.data.train, samples, learn=True)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        fits = False
    if not fits:  # only now nothing holds the activations
        torch.cuda.empty_cache()
        return None
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    return _status("VmHWM")


def _lower(run: Run, count: int, tokens: int, needed: int | None, room: Room) -> None:
    """Half as much at once; raises `EngineFailure` when that can not be."""
    shown = "more memory" if needed is None else f"about {needed / 1e9:.1f} GB"
    message = (
        f"{count} samples of {tokens} tokens at once need {shown}, and {room.most / 1e9:.1f} GB "
        "can be had."
    )
    if count == 1 or not run.spec.hyperparameters.recover_from_oom:
        smaller = "Lower max_length, switch gradient_checkpointing on, or choose a smaller model."
        micro = f"Set micro_batch_size to {max(1, count // 2)}: the result is the same."
        raise EngineFailure(
            FailureCode.OUT_OF_MEMORY,
            message,
            smaller if count == 1 else micro,
            {"needed_bytes": needed, "available_bytes": room.most, "micro_batch_size": count // 2},
        )
    run.at_once.tokens = tokens // 2
    run.at_once.samples = max(1, count // 2)
    run.reporter.notice(
        "warning",
        "computes_less_at_once",
        f"{message} At most {tokens // 2} tokens are computed at once; the effective batch and "
        "the result stay the same.",
        tokens=tokens // 2,
    )


def _status(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)
