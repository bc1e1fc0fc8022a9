"""Which models take the fast path, and how their stock layers are led to it."""

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from training_engine.limits import FAST_FAMILIES
from training_engine.models import attention
from training_engine.models.fast.attention import blocks
from training_engine.models.fast.layer import FastLayer, Row
from training_engine.models.lora import LoraLinear

_PROJECTIONS = {
    "self_attn": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "mlp": ("gate_proj", "up_proj", "down_proj"),
}
_TYPES = (torch.bfloat16, torch.float32)
# Given to a decoder beside `sample_lengths`: what each sample follows in its row.
BEFORE = "samples_follow"
# Set on layers that compute by these kernels.
_QUICK = "computes_quickly"


def install(model: Any) -> bool:
    """Let every decoder layer compute by hand-written kernels; False when one of them can not.

    Call it when adapters stand and nothing else will replace modules or weights. Passes that the
    kernels do not know (no packed row, a cache, a window shorter than a sample) stay with the
    stock layers.
    """
    if not _eligible(model):
        return False
    rows = _Rows()
    before = {p.untyped_storage().data_ptr() for p in model.parameters()}
    for layer in model.get_decoder().layers:
        forward = _forward(FastLayer(layer), type(layer).forward, rows)
        layer.forward = MethodType(forward, layer)
        setattr(layer, _QUICK, True)
    _let_go(model, before)
    return True


def shares(model: Any, longest: int) -> bool:
    """Whether the model takes rows whose samples, of up to so many tokens, share beginnings."""
    decoder = model.get_decoder()
    layers = getattr(decoder, "layers", ())
    if not layers or not all(hasattr(layer, _QUICK) for layer in layers):
        return False
    rotated = 2 * decoder.rotary_emb.inv_freq.numel()
    return all(_attends_as_known(layer, longest, rotated) for layer in layers)


def uninstall(model: Any) -> None:
    """Give the stock layers back to themselves."""
    for layer in model.get_decoder().layers:
        layer.__dict__.pop("forward", None)
        layer.__dict__.pop(_QUICK, None)


def _let_go(model: nn.Module, storages: set[int]) -> None:
    """Copy the frozen rest out of the model's mapped file, so that all of the file is let go."""
    for parameter in model.parameters():
        if not parameter.requires_grad and parameter.untyped_storage().data_ptr() in storages:
            parameter.data = parameter.data.clone()


class _Rows:
    """The row of the present pass, made by its first layer."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._row: Row | None = None

    def of(
        self, layer: Any, lengths: tuple[int, ...], before: Any, embeddings: tuple[Tensor, Tensor]
    ) -> Row:
        """What `layer` and those after it share."""
        attend = layer.self_attn
        adapted = all(each.enabled for each in layer.modules() if isinstance(each, LoraLinear))
        groups = attend.num_key_value_groups
        key = (embeddings[0], lengths, before, adapted, attend.scaling, groups)
        same = self._key and self._key[0] is key[0] and self._key[1:] == key[1:]
        if self._row is None or not same:
            cos, sin = (part[0, :, None] for part in embeddings)
            self._row = Row(
                for_query=(cos * attend.scaling, sin * attend.scaling),
                for_key=(cos, sin),
                scale=attend.scaling,
                blocks=blocks(lengths, groups, cos.dtype, before),
                adapted=adapted,
            )
            self._key = key
        return self._row


def _forward(fast: FastLayer, stock: Callable[..., Tensor], rows: _Rows) -> Callable[..., Tensor]:
    """A decoder layer's forward: the fast one for packed rows, else the stock one."""

    def forward(self: Any, hidden_states: Tensor, **others: Any) -> Tensor:
        lengths, before = others.get("sample_lengths"), others.get(BEFORE)
        if lengths is None or not _plain(self, hidden_states, lengths, others):
            if before is not None:
                raise ValueError("stock layers know no beginnings that samples share")
            return stock(self, hidden_states, **others)
        row = rows.of(self, tuple(lengths), before, others["position_embeddings"])
        return fast.run(hidden_states, row)

    return forward


def _plain(layer: Any, states: Tensor, lengths: tuple[int, ...], others: dict[str, Any]) -> bool:
    """Whether a pass is what the kernels compute."""
    before = others.get(BEFORE) or ((),) * len(lengths)
    longest = max(
        length + sum(end - start for start, end in spans)
        for length, spans in zip(lengths, before, strict=True)
    )
    return (
        _attends_as_known(layer, longest, others["position_embeddings"][0].shape[-1])
        and others.get("attention_mask") is None
        and others.get("past_key_values") is None
        and states.shape[0] == 1
    )


def _attends_as_known(layer: Any, longest: int, rotated: int) -> bool:
    """Over samples of up to `longest` tokens, with so many numbers of a head `rotated`."""
    attend = layer.self_attn
    window = getattr(attend, "sliding_window", getattr(attend.config, "sliding_window", None))
    known = attend.config._attn_implementation == attention.NAME and rotated == attend.head_dim
    return bool(known and (window is None or window >= longest))


def _eligible(model: Any) -> bool:
    config = model.config
    if getattr(config, "model_type", None) not in FAST_FAMILIES or config.hidden_act != "silu":
        return False
    if getattr(config, "attention_dropout", 0.0) or model.is_activation_checkpointing:
        return False
    if getattr(model.get_decoder(), "_compiled_call_impl", None) is not None:
        return False  # torch.compile reads stock layers
    tensors = [*model.get_decoder().parameters()]
    if any(t.device.type != "cpu" for t in tensors) or len({t.dtype for t in tensors}) > 1:
        return False
    return tensors[0].dtype in _TYPES and all(map(_fits, model.get_decoder().layers))


def _fits(layer: nn.Module) -> bool:
    """Whether a layer consists of frozen parts and plain adapters only."""
    for parent, names in _PROJECTIONS.items():
        for name in names:
            part = getattr(getattr(layer, parent), name)
            if type(part) is LoraLinear:
                if part.dropout or type(part.base_layer) is not nn.Linear:
                    return False
            elif type(part) is not nn.Linear:
                return False
    learning = (name for name, p in layer.named_parameters() if p.requires_grad)
    return all(name.endswith(("lora_a", "lora_b")) for name in learning)
