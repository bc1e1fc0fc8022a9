"""Activations that wait for the backward pass in the computer's memory instead of the GPU's."""

from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import save_on_cpu, saved_tensors_hooks

# To move what is smaller takes longer than it frees.
SMALLEST_BYTES = 64 * 1024


class MovedActivations(saved_tensors_hooks):
    """Around a call of a model: what its functions keep for the gradient goes to the host and back.

    Weights stay, and so do views of them: they are there anyway. Frozen ones are kept by every
    adapted layer, and are much more than what a short row gives. Weights that are put together from
    slices for a while are moved like any other tensor. `moving`: the hooks that move.
    """

    def __init__(self, model: nn.Module, moving: saved_tensors_hooks | None = None) -> None:
        mover = save_on_cpu(pin_memory=True) if moving is None else moving
        owned = (*model.parameters(), *model.buffers())
        # A sharded weight has no memory of its own to be told by.
        plain = [tensor for tensor in owned if type(tensor) in (Tensor, nn.Parameter)]
        stay = {tensor.untyped_storage().data_ptr() for tensor in plain if tensor.numel()}

        def pack(tensor: Tensor) -> Any:
            small = tensor.numel() * tensor.element_size() < SMALLEST_BYTES
            if small or tensor.untyped_storage().data_ptr() in stay:
                return tensor
            return mover.pack_hook(tensor)

        def unpack(packed: Any) -> Tensor:
            if isinstance(packed, Tensor):
                return packed
            found: Tensor = mover.unpack_hook(packed)
            return found

        super().__init__(pack, unpack)
