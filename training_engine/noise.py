"""The random numbers of a run's processes (dropout, noise): kept in checkpoints, taken up again.

Each process has its own; weights that begin at random come from the seed alone, equal on all.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from training_engine.distributed import Processes

# Apart from each other and from the seeds that people choose.
STRIDE = 1_000_003


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The state of the random numbers of this process."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Go on with the random numbers from where `random_state` was called."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    if device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])


def part_ways(processes: Processes, seed: int, step: int = 0) -> None:
    """Give every process but the first random numbers of its own, from here on."""
    if not processes.main:
        torch.manual_seed(seed + STRIDE * processes.rank + step)


def all_states(processes: Processes, device: torch.device) -> dict[str, Tensor]:
    """The states of all processes: KEY of the first, KEY.RANK of the others."""
    found = {}
    for key, own in random_state(device).items():
        for rank, state in enumerate(processes.collected(own)):
            found[f"{key}.{rank}" if rank else key] = state
    return found


def take_up(
    states: Mapping[str, Tensor], processes: Processes, device: torch.device, seed: int, step: int
) -> None:
    """Go on from `all_states`; a process that was not there then begins with its own numbers."""
    mark = "" if processes.main else f".{processes.rank}"
    if f"cpu{mark}" not in states:
        part_ways(processes, seed, step)
        return
    own = {key: states[key + mark] for key in ("cpu", "cuda", "mps") if key + mark in states}
    set_random_state(own, device)
