"""The weights that learn: float32 masters in one flat tensor, and the optimizer over it.

The model computes in its own type with a copy of the masters. Gradients are summed in float32 over
the micro-batches of a step, so that their number does not show in the result.
"""

import math
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import ClassVar

import torch
from torch import Tensor, nn

from training_engine.contract.choices import Optimizer
from training_engine.models.optimizers import FLAT, Optimizers, Part

Named = tuple[str, nn.Parameter]
# So many numbers of a gradient are converted at once.
_PIECE = 2**20


class TrainableWeights:
    """All parameters of a model that require a gradient.

    `rate_of` gives the multiple of the learning rate for a parameter's name (LoRA+); `is_hidden`
    tells the matrices that Muon takes. `fixed`: tensors that do not learn and that belong to the
    result all the same; they stand among the masters, and so in checkpoints.
    """

    sharded: ClassVar[bool] = False

    def __init__(
        self,
        model: nn.Module,
        *,
        weight_decay: float,
        optimizer: Optimizer = Optimizer.ADAMW,
        rate_of: Callable[[str], float] = lambda name: 1.0,
        is_hidden: Callable[[str], bool] = lambda name: False,
        fixed: Mapping[str, Tensor] | None = None,
    ) -> None:
        def rule(item: Named) -> tuple[bool, float]:
            # Matrices decay, biases and norms do not.
            return item[1].ndim < 2, rate_of(item[0])

        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        # Sorted so that what one rule governs is one stretch.
        named.sort(key=rule)
        size = sum(p.numel() for _, p in named)
        self._master = torch.empty(size, dtype=torch.float32, device=named[0][1].device)
        self._gradient = torch.zeros_like(self._master)
        self._working: list[tuple[Tensor, Tensor]] = []  # a stretch of masters, its copy
        self.masters: dict[str, Tensor] = {}
        self._gradients: dict[str, Tensor] = {}
        self._copied: list[str] = []  # whose gradients come in another type
        self._awaited: set[str] = set()  # of those, what has none yet in this step, and is not zero
        start = 0
        for dtype, same in groupby(named, key=lambda item: item[1].dtype):
            start = self._adopt_stretch(list(same), start, dtype)
        if optimizer in FLAT:
            parts = self._flat_parts(named, rule)
        else:
            parts = [
                Part(self._with_gradient(self.masters[n], self._gradients[n]), p.ndim >= 2,
                     rate_of(n), p.ndim == 2 and is_hidden(n))
                for n, p in named
            ]  # fmt: skip
        self._optimizer = Optimizers(optimizer, parts, weight_decay)
        self.masters.update(fixed or {})

    def _adopt_stretch(self, named: list[Named], start: int, dtype: torch.dtype) -> int:
        """Let parameters of one type live in the flat tensors; returns where they end."""
        end = start + sum(p.numel() for _, p in named)
        working = None
        if dtype != torch.float32:
            working = self._master[start:end].to(dtype)
            self._working.append((self._master[start:end], working))
        at = start
        for name, parameter in named:
            stretch = slice(at, at + parameter.numel())
            copy = None if working is None else working[at - start : stretch.stop - start]
            self._adopt(name, parameter, stretch, copy)
            at = stretch.stop
        return int(end)

    def _adopt(
        self, name: str, parameter: nn.Parameter, stretch: slice, working: Tensor | None
    ) -> None:
        shape = parameter.shape
        master, gradient = self._master[stretch].view(shape), self._gradient[stretch].view(shape)
        with torch.no_grad():
            master.copy_(parameter)
        self.masters[name], self._gradients[name] = master, gradient
        if working is None:
            parameter.data = master
            parameter.grad = gradient
            return
        parameter.data = working.view(shape)
        with torch.no_grad():
            parameter.copy_(master)

        def collect(leaf: Tensor) -> None:
            if leaf.grad is None:
                return
            if name in self._awaited:
                self._awaited.remove(name)
                gradient.copy_(leaf.grad)
            else:
                _add(gradient, leaf.grad)
            leaf.grad = None

        parameter.register_post_accumulate_grad_hook(collect)
        self._copied.append(name)

    def _flat_parts(
        self, named: list[Named], rule: Callable[[Named], tuple[bool, float]]
    ) -> list[Part]:
        """One part for each rule, over the whole stretch of its parameters."""
        parts, start = [], 0
        for (small, rate), same in groupby(named, key=rule):
            end = start + sum(p.numel() for _, p in same)
            stretch = self._with_gradient(self._master[start:end], self._gradient[start:end])
            parts.append(Part(stretch, not small, rate))
            start = end
        return parts

    @staticmethod
    def _with_gradient(master: Tensor, gradient: Tensor) -> nn.Parameter:
        part = nn.Parameter(master)
        part.grad = gradient
        return part

    @property
    def count(self) -> int:
        """How many numbers learn."""
        return int(self._master.numel())

    def finite(self) -> bool:
        """Whether every number that learns still is one."""
        if not self._master.numel():  # a slice may be empty
            return True
        return math.isfinite(float(torch.linalg.vector_norm(self._master, torch.inf)))

    @property
    def gradient(self) -> Tensor:
        """Of all that learns, float32 [count]."""
        self._settle()
        return self._gradient

    @property
    def gradients(self) -> dict[str, Tensor]:
        """The same by name, in the shapes of the weights."""
        self._settle()
        return self._gradients

    def _settle(self) -> None:
        """What nothing was learnt about has a gradient of zero."""
        for name in self._awaited:
            self._gradients[name].zero_()
        self._awaited.clear()

    def zero_gradients(self) -> None:
        """Begin a step. What will be copied need not be zero before."""
        self._awaited = set(self._copied)
        for name, gradient in self._gradients.items():
            if name not in self._awaited:
                gradient.zero_()

    def norm(self) -> float:
        """Length of the gradient, maybe not finite."""
        return float(torch.linalg.vector_norm(self.gradient))

    def clip(self, max_norm: float) -> float:
        """Shorten the gradient to `max_norm`; returns its length before (maybe not finite)."""
        norm = self.norm()
        if norm > max_norm:
            self.gradient.mul_(max_norm / norm)
        return norm

    def step(self, learning_rate: float) -> None:
        """One update by the optimizer, then the model sees it."""
        self._settle()
        self._optimizer.step(learning_rate)
        self._publish()

    def _publish(self) -> None:
        for master, working in self._working:
            working.copy_(master)

    def stored(self) -> dict[str, Tensor]:
        """The masters by name, for a checkpoint."""
        return self.masters

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """What the optimizer remembers, for a checkpoint."""
        return self._optimizer.tensors()

    def optimizer_bytes_to_come(self) -> int:
        """Bytes that the optimizer's first step will allocate on top of what is held."""
        return self._optimizer.bytes_to_come()

    def load(self, masters: Mapping[str, Tensor]) -> None:
        """Take over weights by name; raises `KeyError` when one is missing."""
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(masters[name])
            self._publish()

    def load_optimizer(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `optimizer_tensors` gave."""
        self._optimizer.load(dict(tensors))


def _add(total: Tensor, more: Tensor) -> None:
    """Add a gradient of another type.

    On a CPU one operation over two types takes three times as long as converting and adding.
    """
    if total.device.type != "cpu":
        total.add_(more)
        return
    pieces = total.reshape(-1).split(_PIECE), more.reshape(-1).split(_PIECE)
    for into, piece in zip(*pieces, strict=True):
        into.add_(piece.float())
