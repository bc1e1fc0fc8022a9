"""Faster ways for a stock decoder to compute on a GPU; each notes in `undo` how it is taken back.

`gpu.py` says when which of them is used.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

from torch import Tensor, nn

from training_engine.models import attention
from training_engine.models.quantised import QuantisedLinear

# What Liger binds to the modules that it changes.
_BOUND = ("forward", "extra_repr", "_get_name")

Rotate: TypeAlias = Callable[..., tuple[Tensor, Tensor]]


def by_flex(model: Any, undo: ExitStack) -> None:
    """FlexAttention for all samples of a row at once."""
    for module in model.get_decoder().modules():
        if "Attention" in type(module).__name__:
            undo.callback(delattr, module, attention.BY_FLEX)
            setattr(module, attention.BY_FLEX, True)


def by_compiler(model: Any, undo: ExitStack) -> None:
    """Norms and feed-forward layers by torch.compile: an operation reads what it can keep.

    Not the decoder as a whole: it would be compiled again for every number of samples in a row.
    These parts see tokens only, and one compilation serves all layers and rows of every length.
    """
    for part in _parts(model.get_decoder()):
        undo.callback(setattr, part, "_compiled_call_impl", None)
        part.compile(dynamic=True)


def whole_by_compiler(model: Any, undo: ExitStack) -> None:
    """Stacks of layers as they are, of a family whose parts are not known by their names.

    An encoder–decoder has two, and both are compiled.
    """
    stacks = [model.get_decoder()]
    if model.config.is_encoder_decoder:
        stacks.append(model.get_encoder())
    for stack in stacks:
        undo.callback(setattr, stack, "_compiled_call_impl", None)
        stack.compile(dynamic=True)


def _parts(decoder: Any) -> Iterator[nn.Module]:
    yield from (each for each in decoder.modules() if type(each).__name__.endswith("Norm"))
    for layer in decoder.layers:
        # Packed weights are unpacked by kernels that the compiler does not look into.
        if not any(isinstance(each, QuantisedLinear) for each in layer.mlp.modules()):
            yield layer.mlp


def by_liger(model: Any, undo: ExitStack) -> None:
    """Norms, gated activations and rotations by Liger (https://arxiv.org/abs/2410.10989).

    Not its cross-entropy: ours leaves out what is not trained. Adapters stay where they are, for
    its feed-forward layers call the projections as modules. Raises `ImportError` without it.
    """
    # It warns of each kind of hardware that is not there.
    logging.getLogger("liger_kernel").setLevel(logging.ERROR)
    apply = import_module("liger_kernel.transformers")._apply_liger_kernel_to_instance
    decoder = model.get_decoder()
    modeling = sys.modules[type(decoder).__module__]
    before = dict(vars(modeling))
    for module in decoder.modules():
        for name in _BOUND:
            undo.callback(module.__dict__.pop, name, None)
    undo.callback(vars(modeling).update, before)
    apply(
        model=model,
        rope=True,
        rms_norm=True,
        swiglu=model.config.hidden_act in ("silu", "swish"),
        cross_entropy=False,
        fused_linear_cross_entropy=False,
    )
    _confine(modeling, before)


def _confine(modeling: ModuleType, before: dict[str, Any]) -> None:
    """Liger changes a family's classes and its rotation for all models: only this one is meant."""
    for name, stock in before.items():
        changed = vars(modeling)[name]
        if changed is not stock:
            kept = stock if isinstance(stock, type) else _by_device(changed, stock)
            setattr(modeling, name, kept)


def _by_device(fused: Rotate, stock: Rotate) -> Rotate:
    """The fused rotation where a GPU computes it."""

    def rotate(query: Tensor, *others: Any, **named: Any) -> tuple[Tensor, Tensor]:
        return (fused if query.is_cuda else stock)(query, *others, **named)

    return rotate
