"""Which optimizer, over what, at which rate: factories for `TrainableWeights`.

AdamW, in 32 or 8 bits, works number by number, so it takes flat stretches of the masters.
Adafactor and Muon look at whole matrices, so they take every parameter by itself.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training_engine.contract.choices import Optimizer
from training_engine.models.quantised import bitsandbytes_module

# What has fewer numbers keeps moments of 32 bits (a default of bitsandbytes).
EIGHT_BITS_FROM = 4096
FLAT = frozenset({Optimizer.ADAMW, Optimizer.ADAMW_8BIT})


@dataclass(frozen=True)
class Part:
    """A piece of the masters with one rule: `decays`, and `rate` times the learning rate.

    `hidden`: a matrix between hidden states, neither embedding nor head.
    """

    parameter: nn.Parameter
    decays: bool
    rate: float = 1.0
    hidden: bool = False


class Optimizers:
    """One or two torch optimizers that step together; state goes out and in by part number."""

    def __init__(self, kind: Optimizer, parts: list[Part], weight_decay: float) -> None:
        """Raises `EngineFailure` when the optimizer needs a library that is not there."""
        self._parts = parts
        self._kind = kind
        self._members = _members(kind, parts, weight_decay)
        self._owner = {
            id(parameter): member
            for member in self._members
            for group in member.param_groups
            for parameter in group["params"]
        }

    def step(self, learning_rate: float) -> None:
        """One update with every group at its multiple of the rate."""
        for member in self._members:
            for group in member.param_groups:
                group["lr"] = learning_rate * group["rate"]
            member.step()

    def tensors(self) -> dict[str, Tensor]:
        """All state, for a checkpoint: PART.KEY → tensor."""
        found = {}
        for index, part in enumerate(self._parts):
            state = self._owner[id(part.parameter)].state.get(part.parameter, {})
            for key, value in state.items():
                if not key.startswith("qmap"):  # a constant table of the 8-bit optimizer
                    found[f"{index}.{key}"] = torch.as_tensor(value)
        return found

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        for index, part in enumerate(self._parts):
            mark = f"{index}."
            stored = {k.removeprefix(mark): v for k, v in tensors.items() if k.startswith(mark)}
            if not stored:
                continue
            member, device = self._owner[id(part.parameter)], part.parameter.device
            if self._kind is Optimizer.ADAMW_8BIT:
                member.state[part.parameter] = _eight_bit_state(member, part.parameter, stored)
                continue
            # Fused kernels read the count of steps where the weights are, the others on the CPU.
            of_steps = device if member.defaults.get("fused") else torch.device("cpu")
            member.state[part.parameter] = {
                key: value.to(of_steps if key == "step" else device).clone()
                for key, value in stored.items()
            }

    def bytes_to_come(self) -> int:
        """Bytes of the state that is not there yet: the first step allocates it."""
        return sum(
            _state_bytes(self._kind, part)
            for part in self._parts
            if not self._owner[id(part.parameter)].state.get(part.parameter)
        )


def _members(
    kind: Optimizer, parts: list[Part], weight_decay: float
) -> list[torch.optim.Optimizer]:
    def groups(chosen: Iterable[Part]) -> list[dict[str, Any]]:
        """Parts of one rule together, in the order of the parts."""
        found: dict[tuple[bool, float], dict[str, Any]] = {}
        for part in chosen:
            decay = weight_decay if part.decays else 0.0
            rule: dict[str, Any] = {"params": [], "weight_decay": decay, "rate": part.rate}
            found.setdefault((part.decays, part.rate), rule)["params"].append(part.parameter)
        return list(found.values())

    if kind is Optimizer.ADAMW:
        return [torch.optim.AdamW(groups(parts), lr=0.0, fused=True)]
    if kind is Optimizer.ADAMW_8BIT:
        eight_bit = bitsandbytes_module("bitsandbytes.optim").AdamW8bit
        return [eight_bit(groups(parts), lr=0.0)]
    if kind is Optimizer.ADAFACTOR:
        # https://arxiv.org/abs/1804.04235. The second epsilon is the least size of a weight that
        # an update is relative to. 1 makes updates as large as the learning rate says, as with
        # AdamW: relative to B of a LoRA, which is zero at first, they would be next to nothing.
        return [torch.optim.Adafactor(groups(parts), lr=0.0, eps=(None, 1.0))]
    # Muon (https://arxiv.org/abs/2502.16982) with updates as large as AdamW's, so that one
    # learning rate serves both; AdamW for embeddings, heads, norms and biases.
    hidden = groups(part for part in parts if part.hidden)
    others = groups(part for part in parts if not part.hidden)
    found: list[torch.optim.Optimizer] = []
    if hidden:
        found.append(torch.optim.Muon(hidden, lr=0.0, adjust_lr_fn="match_rms_adamw"))
    if others:
        found.append(torch.optim.AdamW(others, lr=0.0, fused=True))
    return found


def _state_bytes(kind: Optimizer, part: Part) -> int:
    """Two float32 moments; two of 8 bits with their scales; one per row and column; only one."""
    shape: tuple[int, ...] = part.parameter.shape
    count = math.prod(shape)
    match kind:
        case Optimizer.ADAMW_8BIT if count >= EIGHT_BITS_FROM:
            return int(2.04 * count)
        case Optimizer.ADAFACTOR:
            return 4 * (count // shape[-1] + count // shape[-2] if len(shape) > 1 else count)
        case Optimizer.MUON if part.hidden:
            return 4 * count
    return 8 * count


def _eight_bit_state(
    member: Any, parameter: nn.Parameter, stored: dict[str, Tensor]
) -> dict[str, Any]:
    """State of the 8-bit AdamW, its constant tables added again and its count as it wants it."""
    state: dict[str, Any] = {
        key: value.to(parameter.device).clone() for key, value in stored.items() if key != "step"
    }
    state["step"] = int(stored["step"])
    if state["state1"].dtype == torch.uint8:
        state["qmap1"] = member.name2qmap["dynamic"].to(parameter.device)
        state["qmap2"] = member.name2qmap["udynamic"].to(parameter.device)
    return state
