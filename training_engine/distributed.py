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

from training_engine.contract.choices import Device
from training_engine.contract.names import FailureCode
from training_engine.failures import EngineFailure
from training_engine.launch import MEETING_VARIABLE

# Whoever started the processes notices a death at once; this ends those that wait without one.
PATIENCE = timedelta(minutes=30)
FIELD = "distributed.processes"


@dataclass(frozen=True)
class Processes:
    """This process among `count`; number 0 writes events, checkpoints and the result."""

    rank: int = 0
    count: int = 1

    @property
    def main(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0

    def part(self, samples: Sequence[int], rank: int | None = None) -> Sequence[int]:
        """The samples of a step that a process computes, this one unless `rank` says so."""
        return samples[self.rank if rank is None else rank :: self.count]

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

    def collected(self, tensor: Tensor) -> list[Tensor]:
        """A tensor of each process, by rank; the same shape on each, on the CPU."""
        if self.count == 1:
            return [tensor]
        found = [torch.empty_like(tensor) for _ in range(self.count)]
        torch.distributed.all_gather(found, tensor)
        return found

    def agreed(self, value: int) -> int:
        """What process 0 says."""
        return int(self.collected(torch.tensor(value))[0])

    def least(self, value: int) -> int:
        """The smallest of all processes' numbers."""
        return min(int(each) for each in self.collected(torch.tensor(value)))

    def wait(self) -> None:
        """Until all have come this far."""
        self.agreed(0)

    def leave(self) -> None:
        """Part in good order: nothing is computed together from here on."""
        if self.count > 1:
            self.wait()
            torch.distributed.destroy_process_group()


def join(wanted: int, device: Device) -> Processes:
    """Meet the other processes of the run; alone when one is wanted.

    Understands the variables that torchrun sets. Raises `EngineFailure` when the machine has not
    enough GPUs, or the processes were not started as the spec says.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count != wanted:
        raise EngineFailure(
            FailureCode.BAD_SPEC,
            f"The spec asks for {wanted} processes, and {count} were started.",
            "Start the run with `python -m training_engine.train`, which starts as many as it "
            "needs.",
            {"field": FIELD},
        )
    if count == 1:
        return Processes()
    backend = _backend(count, device)
    rank, meeting = int(os.environ["RANK"]), os.environ.get(MEETING_VARIABLE)
    if meeting is None:  # torchrun: its store tells them of each other
        torch.distributed.init_process_group(backend, timeout=PATIENCE)
    else:
        store = torch.distributed.FileStore(meeting, count)
        torch.distributed.init_process_group(
            backend, store=store, rank=rank, world_size=count, timeout=PATIENCE
        )
    return Processes(rank, count)


def _backend(count: int, device: Device) -> str:
    """Who carries the messages; on GPUs each process takes its own."""
    if device is Device.CPU:
        return "gloo"
    if torch.cuda.is_available():
        if count > (there := torch.cuda.device_count()):
            raise EngineFailure(
                FailureCode.BAD_SPEC,
                f"The run asks for {count} processes, one for each GPU, and there are {there}.",
                f"Choose at most {there} processes.",
                {"field": FIELD, "gpus": there},
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        return "cpu:gloo,cuda:nccl"
    if torch.backends.mps.is_available():
        raise EngineFailure(
            FailureCode.BAD_SPEC,
            "Several processes can not share an Apple GPU.",
            "Choose one process, or the device cpu.",
            {"field": FIELD},
        )
    return "gloo"


def check_work(processes: Processes, batch_size: int, samples: int) -> None:
    """Raise `EngineFailure` when a step has fewer samples than there are processes."""
    most = min(batch_size, samples)
    if processes.count > most:
        raise EngineFailure(
            FailureCode.BAD_SPEC,
            f"A step has {most} samples: of {processes.count} processes some would have nothing "
            "to compute.",
            f"Choose at most {most} processes, or a larger batch.",
            {"field": FIELD, "samples": most},
        )
