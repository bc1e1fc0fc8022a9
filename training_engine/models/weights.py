"""The weights that learn: float32 masters in one flat tensor, one AdamW over it.

The model computes in its own type with a copy of the masters. Gradients are summed in float32 over
the micro-batches of a step, so that their number does not show in the result.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class TrainableWeights:
    """All parameters of a model that require a gradient."""

    def __init__(self, model: nn.Module, *, weight_decay: float) -> None:
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        # Matrices decay, biases and norms do not: sorted so that each kind is one stretch.
        named.sort(key=lambda item: item[1].ndim < 2)
        decayed = sum(p.numel() for _, p in named if p.ndim >= 2)
        size = sum(p.numel() for _, p in named)
        first = named[0][1]
        self._master = torch.empty(size, dtype=torch.float32, device=first.device)
        self._gradient = torch.zeros_like(self._master)
        self._working = None if first.dtype == torch.float32 else self._master.to(first.dtype)
        self.masters: dict[str, Tensor] = {}
        self.gradients: dict[str, Tensor] = {}
        start = 0
        for name, parameter in named:
            stretch = slice(start, start + parameter.numel())
            self._adopt(name, parameter, stretch)
            start += parameter.numel()
        self._parts = [
            nn.Parameter(part) for part in (self._master[:decayed], self._master[decayed:])
        ]
        for part, gradient in zip(
            self._parts, (self._gradient[:decayed], self._gradient[decayed:]), strict=True
        ):
            part.grad = gradient
        groups = [
            {"params": [part], "weight_decay": decay}
            for part, decay in zip(self._parts, (weight_decay, 0.0), strict=True)
            if part.numel()
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=0.0, fused=True)

    def _adopt(self, name: str, parameter: nn.Parameter, stretch: slice) -> None:
        """Let a parameter live in the flat tensors."""
        shape = parameter.shape
        master, gradient = self._master[stretch].view(shape), self._gradient[stretch].view(shape)
        with torch.no_grad():
            master.copy_(parameter)
        self.masters[name], self.gradients[name] = master, gradient
        if self._working is None:
            parameter.data = master
            parameter.grad = gradient
            return
        parameter.data = self._working[stretch].view(shape)
        with torch.no_grad():
            parameter.copy_(master)

        def collect(leaf: Tensor) -> None:
            if leaf.grad is not None:
                gradient.add_(leaf.grad)
                leaf.grad = None

        parameter.register_post_accumulate_grad_hook(collect)

    @property
    def count(self) -> int:
        """How many numbers learn."""
        return int(self._master.numel())

    def zero_gradients(self) -> None:
        """Begin a step."""
        self._gradient.zero_()

    def clip(self, max_norm: float) -> float:
        """Shorten the gradient to `max_norm`; returns its length before (maybe not finite)."""
        norm = float(torch.linalg.vector_norm(self._gradient))
        if norm > max_norm:
            self._gradient.mul_(max_norm / norm)
        return norm

    def step(self, learning_rate: float) -> None:
        """One AdamW update (https://arxiv.org/abs/1711.05101), then the model sees it."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        self._publish()

    def _publish(self) -> None:
        if self._working is not None:
            self._working.copy_(self._master)

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """The moments of AdamW and its step count, for a checkpoint."""
        found = {}
        for index, part in enumerate(self._parts):
            for key, value in self._optimizer.state.get(part, {}).items():
                found[f"{index}.{key}"] = value
        return found

    def load(self, masters: Mapping[str, Tensor]) -> None:
        """Take over weights by name; raises `KeyError` when one is missing."""
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(masters[name])
            self._publish()

    def load_optimizer(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `optimizer_tensors` gave."""
        for index, part in enumerate(self._parts):
            state = {
                name.partition(".")[2]: value
                for name, value in tensors.items()
                if name.startswith(f"{index}.")
            }
            if state:
                moved = {
                    key: value.clone() if key == "step" else value.to(part.device).clone()
                    for key, value in state.items()
                }
                self._optimizer.state[part] = moved
