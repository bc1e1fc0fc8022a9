"""Freeze tuning: the last layers of the stack learn, everything before them stays."""

from torch import nn

from training_engine.contract.names import FailureCode
from training_engine.failures import EngineFailure
from training_engine.models.adapters import classification_head, within


def layer_stack(model: nn.Module) -> tuple[str, nn.ModuleList]:
    """Name and modules of the longest list of layers; of two as long the later one, a decoder's.

    Lists inside such a list (experts, parts of a layer) do not count. Raises `EngineFailure` for a
    model that has none.
    """
    named = {name: m for name, m in model.named_modules() if isinstance(m, nn.ModuleList)}
    lists = [(n, m) for n, m in named.items() if not within(n, set(named) - {n})]
    if not lists:
        raise EngineFailure(
            FailureCode.BAD_SPEC,
            "The model has no list of layers, of which the last ones could be tuned.",
            "Choose the method lora or full.",
        )
    name, layers = max(reversed(lists), key=lambda found: len(found[1]))
    return name, layers


def freeze(model: nn.Module, trainable_layers: int) -> list[str]:
    """Leave only the last layers of the stack, its final norm and a classification head learning.

    The final norm belongs to what it follows: it scales the output of the last layer and has next
    to no weights. Embeddings and the vocabulary's output layer stay frozen, tied or not. Returns
    the names of the parameters that learn; raises `EngineFailure`.
    """
    stack, layers = layer_stack(model)
    model.requires_grad_(False)
    for layer in layers[-trainable_layers:]:
        layer.requires_grad_(True)
    owner = model.get_submodule(stack.rpartition(".")[0])
    for name, child in owner.named_children():
        if "norm" in type(child).__name__.lower() and "embed" not in name:
            child.requires_grad_(True)
    heads = classification_head(model)
    for name, parameter in model.named_parameters():
        if within(name, heads):
            parameter.requires_grad_(True)
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]
