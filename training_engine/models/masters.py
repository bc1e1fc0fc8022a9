"""One flat fp32 tensor for everything that learns: one optimizer step, one gradient norm.

Parameters become views into a flat buffer of their own type; where that is not fp32, a flat fp32
master copy takes the updates (Micikevicius et al. 2018, arXiv:1710.03740).
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter


class FlatMasters:
    """Owns values and gradients of the given parameters, which must share type and device."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("nothing is trainable")
        first = self.parameters[0]
        total = sum(p.numel() for p in self.parameters)
        self.working = torch.empty(total, dtype=first.dtype, device=first.device)
        self._grads = torch.zeros_like(self.working)
        begin = 0
        for parameter in self.parameters:
            end = begin + parameter.numel()
            self.working[begin:end] = parameter.detach().reshape(-1)
            parameter.data = self.working[begin:end].view_as(parameter)
            parameter.grad = self._grads[begin:end].view_as(parameter)
            begin = end
        self.separate = first.dtype != torch.float32
        self.master = Parameter(self.working.float() if self.separate else self.working)
        self.master.grad = torch.zeros_like(self.master) if self.separate else self._grads

    def collect(self) -> None:
        """Add what a backward pass left in the parameters' gradients to the master's, in fp32."""
        if self.separate:
            assert self.master.grad is not None
            self.master.grad += self._grads
            self._grads.zero_()

    def gradient(self) -> Tensor:
        """The flat fp32 gradient collected so far."""
        assert self.master.grad is not None
        return self.master.grad

    def publish(self) -> None:
        """After an optimizer step: the parameters take the master's values."""
        if self.separate:
            self.working.copy_(self.master.detach())

    def zero(self) -> None:
        """Forget all gradients; the buffers stay."""
        self.gradient().zero_()
        self._grads.zero_()

    def silent(self) -> list[int]:
        """Indices of parameters whose collected gradient is exactly zero."""
        found, begin = [], 0
        for index, parameter in enumerate(self.parameters):
            end = begin + parameter.numel()
            if not bool(self.gradient()[begin:end].any()):
                found.append(index)
            begin = end
        return found
