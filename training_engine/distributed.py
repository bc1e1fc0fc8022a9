"""The processes that share a run: each computes a part of every step, all keep the same weights.

The order of samples is a pure function, so every process knows the whole step and its divisors
without being told; gradients and sums are added up over all of them (https://arxiv.org/abs/2006.15704).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor

# A process that died is noticed by torchrun; this ends those that wait for it without one.
PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True)
class Processes:
    """This process among `count`; number 0 writes events, checkpoints and the result."""

    rank: int = 0
    count: int = 1

    @property
    def main(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0

    def part(self, samples: Sequence[int]) -> Sequence[int]:
        """The samples of a step that this process computes."""
        return samples[self.rank :: self.count]

    def add_up(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes."""
        if self.count > 1:
            torch.distributed.all_reduce(tensor)

    def add_up_all(self, parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Sums over all processes of small tensors, with one message; the same names on each."""
        if self.count == 1 or not parts:
            return dict(parts)
        flat = torch.cat([part.float().flatten() for part in parts.values()])
        self.add_up(flat)
        sizes = [part.numel() for part in parts.values()]
        pieces = zip(parts.items(), flat.split(sizes), strict=True)
        return {name: piece.view(part.shape) for (name, part), piece in pieces}

    def agreed(self, value: int) -> int:
        """What process 0 says."""
        if self.count == 1:
            return value
        told = torch.tensor([value if self.main else 0])
        self.add_up(told)
        return int(told)

    def wait(self) -> None:
        """Until all have come this far."""
        if self.count > 1:
            torch.distributed.barrier()


def join() -> Processes:
    """Meet the other processes that torchrun started; alone without it."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    torch.distributed.init_process_group(backend, timeout=PATIENCE)
    return Processes(torch.distributed.get_rank(), count)
