"""Weights spread over processes (FSDP2, https://arxiv.org/abs/2304.11277): each keeps a slice.

A layer's slices are put together when the layer is computed and dropped behind it. Masters and the
optimizer's state of what learns are sliced in the same way. What leaves a run (checkpoints, the
result) is whole, in the form that one process gives it: any number of processes can go on.
"""

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from training_engine.distributed import Processes
from training_engine.models.adapters import within
from training_engine.models.weights import TrainableWeights


class Root(nn.Module):
    """The model once more, as a module whose forward is any computation with the model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, compute: Callable[[], Any]) -> Any:
        """What `compute` returns, with everything outside the layers put together meanwhile."""
        return compute()


def shard(model: nn.Module, processes: Processes, device: torch.device, *, keep: bool) -> Root:
    """Spread a model over the processes, layer by layer; it computes through what is returned.

    `keep`: what learns (an adapter) stays whole on every process. The model may still stand on the
    CPU: no GPU ever holds more of it than a layer and its own slices.
    """
    whole = {p for p in model.parameters() if keep and p.requires_grad}
    options: dict[str, Any] = {
        "mesh": init_device_mesh(device.type, (processes.count,)),
        "ignored_params": whole,
        # Sums over processes in float32, whatever the model computes in.
        "mp_policy": MixedPrecisionPolicy(reduce_dtype=torch.float32),
        # Also the root: weights may change between two passes.
        "reshard_after_forward": True,
    }
    lists = {name: m for name, m in model.named_modules() if isinstance(m, nn.ModuleList)}
    for name, layers in lists.items():
        if not within(name, set(lists) - {name}):
            for layer in layers:
                fully_shard(layer, **options)
    root = Root(model)
    fully_shard(root, **options)
    for module in root.modules():
        if isinstance(module, FSDPModule):
            # Losses are shares of the step's mean already: sums, not means.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
    for parameter in whole:
        parameter.data = parameter.data.to(device)
    return root


class _Slices:
    """This process's slices of a model's learning weights, float32, under their names."""

    def __init__(self, model: nn.Module) -> None:
        self.sharded: dict[str, DTensor] = {}
        self._slices: dict[str, nn.Parameter] = {}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                if not isinstance(parameter, DTensor):
                    raise TypeError(f"{name} is not sharded")
                self.sharded[name] = parameter
                self._slices[name] = nn.Parameter(parameter.detach().to_local().float())

    def named_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """As a module gives them."""
        return list(self._slices.items())


class ShardedWeights(TrainableWeights):
    """Masters, gradients and optimizer of this process's slices; all processes act together."""

    sharded: ClassVar[bool] = True

    def __init__(self, model: nn.Module, processes: Processes, **settings: Any) -> None:
        slices: Any = _Slices(model)
        self._sharded: dict[str, DTensor] = slices.sharded
        self._processes = processes
        super().__init__(slices, **settings)
        rate_of = settings.get("rate_of", lambda name: 1.0)
        # What the optimizer takes together, as in `TrainableWeights`.
        self._parts = [
            list(names)
            for _, names in groupby(
                self.masters, key=lambda name: (self._sharded[name].ndim < 2, rate_of(name))
            )
        ]
        for name, parameter in self._sharded.items():
            self._collect_into(self.gradients[name], parameter)
        self._publish()

    @staticmethod
    def _collect_into(gradient: Tensor, parameter: Any) -> None:
        def collect(leaf: Any) -> None:
            gradient.add_(leaf.grad.to_local())
            leaf.grad = None

        parameter.register_post_accumulate_grad_hook(collect)

    @property
    def count(self) -> int:
        """How many numbers learn, over all processes."""
        return sum(parameter.numel() for parameter in self._sharded.values())

    def norm(self) -> float:
        """Length of the whole gradient."""
        squares = torch.linalg.vector_norm(self.gradient).double() ** 2
        self._processes.add_up(squares)
        return float(squares**0.5)

    def finite(self) -> bool:
        """Whether every number that learns, on any process, still is one."""
        return self._processes.least(int(super().finite())) > 0

    def _publish(self) -> None:
        with torch.no_grad():
            for name, parameter in self._sharded.items():
                parameter.to_local().copy_(self.masters[name])

    def stored(self) -> dict[str, Tensor]:
        """Whole masters, on process 0; the others get empty ones."""
        return {name: self._whole(name, master) for name, master in self.masters.items()}

    def load(self, masters: Mapping[str, Tensor]) -> None:
        super().load({name: self._slice(masters[name]) for name in self.masters})

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """As one process with all weights would give them, on process 0."""
        found = {}
        for key, value in super().optimizer_tensors().items():
            names = self._parts[int(key.partition(".")[0])]
            sizes = [self.masters[name].numel() for name in names]
            if not value.ndim:
                found[key] = value  # the number of steps
                continue
            pieces = zip(names, value.split(sizes), strict=True)
            found[key] = torch.cat(
                [
                    self._whole(name, piece.view_as(self.masters[name])).flatten()
                    for name, piece in pieces
                ]
            )
        return found

    def load_optimizer(self, tensors: Mapping[str, Tensor]) -> None:
        found = {}
        for key, value in tensors.items():
            names = self._parts[int(key.partition(".")[0])]
            shapes = [self._sharded[name].shape for name in names]
            if not value.ndim:
                found[key] = value
                continue
            pieces = value.split([shape.numel() for shape in shapes])
            slices = [self._slice(p.view(s)) for p, s in zip(pieces, shapes, strict=True)]
            found[key] = torch.cat([piece.flatten() for piece in slices])
        super().load_optimizer(found)

    def _whole(self, name: str, piece: Tensor) -> Tensor:
        """All processes' slices in one, on the CPU of process 0."""
        like = self._sharded[name]
        found: Tensor = DTensor.from_local(
            piece.contiguous(),
            like.device_mesh,
            like.placements,
            run_check=False,
            shape=like.shape,
            stride=like.stride(),
        ).full_tensor()
        return found.cpu() if self._processes.main else torch.empty(0)

    def _slice(self, whole: Tensor) -> Tensor:
        """This process's rows: as many for each as possible, the last ones have fewer or none."""
        parts = whole.chunk(self._processes.count)
        rank = self._processes.rank
        return parts[rank] if rank < len(parts) else whole[:0]
