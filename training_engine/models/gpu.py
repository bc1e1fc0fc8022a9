"""What a model computes with on a GPU beside the stock layers, by what is there and what pays.

Nothing is taken on trust: a change stays when states and gradients are the same with it, tried on
the very device; otherwise it is undone, and the log says why.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from training_engine.contract.choices import Compilation
from training_engine.failures import is_out_of_memory
from training_engine.models import attention, fused
from training_engine.models.forward import Forward, Scorer
from training_engine.models.load import KNOWN_FAMILIES
from training_engine.models.trial import random_row

# A run of this length or more is compiled: it pays for the minute that this takes.
PAYS_S = 600.0
# What a GPU is taken to compute in a second, to tell minutes from hours. Not measured.
USABLE_FLOPS = {torch.bfloat16: 60e12, torch.float32: 5e12}
# Forward, backward to the activations, gradient of the weight: two operations each.
FLOPS_PER_WEIGHT = 6
# Samples that cross a block of FlexAttention, and one of a single token.
TRIED = (150, 1, 49)
# The same of models that are tried through their objective: two texts, or a source and a target.
TRIED_TEXTS = (40, 24)
# Of what learns, tensors of up to so many numbers have their gradients compared there.
COMPARED = 2**20
# Relative, of the norm: in bfloat16 other orders of adding make some per cent in many layers.
TOLERANCE = {torch.bfloat16: 0.1, torch.float32: 0.01}

Change = Callable[[Any, ExitStack], None]
Look = Callable[[], list[Tensor]]


@dataclass(frozen=True)
class Chosen:
    """`lines` are for the log; `problem`: why it is not compiled although that was asked for."""

    lines: tuple[str, ...]
    problem: str | None = None


def uncompiled(model: Any) -> AbstractContextManager[Any]:
    """For a few texts beside the training: compiling for their lengths takes longer than they."""
    if model.device.type != "cuda":
        return nullcontext()
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance


def expected_seconds(tokens: float, parameters: int, dtype: torch.dtype) -> float:
    """How long training on `tokens` may take: enough to see whether compiling pays."""
    return FLOPS_PER_WEIGHT * tokens * parameters / USABLE_FLOPS[dtype]


def choose(forward: Forward, wish: Compilation, *, seconds: float) -> Chosen:
    """Give a model on a GPU what it is fast with; call it when adapters stand.

    `forward`: without noise, how its rows go through it. `seconds`: how long the run may take.
    """
    model: Any = forward.model
    family, asked = model.config.model_type, wish is Compilation.ON
    known = family in KNOWN_FAMILIES
    if not asked and not known:
        return Chosen((f"layers of {family}: stock, no others are known",))
    look = partial(_states, model, forward.packed) if known else partial(_outcome, forward)
    stock = look()
    if not known and not forward.packed:
        problem = keep_if_equal(model, fused.whole_by_compiler, stock, look)
        how = "compiled as they are" if problem is None else f"stock ({problem})"
        return Chosen((f"layers of {family}: {how}",), problem)
    pays = wish is Compilation.AUTO and seconds >= PAYS_S
    compiles = asked or pays
    lines = [_attention(model, stock, look, compiles=compiles)] if forward.packed else []
    problem = why_not = None
    if not asked:
        why_not = keep_if_equal(model, fused.by_liger, stock, look)
        if why_not is None:
            return Chosen((*lines, "norms, activations and rotations: Liger"))
    if compiles:
        problem = keep_if_equal(model, fused.by_compiler, stock, look)
        if problem is None:
            return Chosen((*lines, "norms and feed-forward layers: compiled"))
    reasons = [reason for reason in (why_not, problem or _left_off(wish)) if reason]
    return Chosen((*lines, f"layers: stock ({'; '.join(reasons)})"), problem)


def _attention(model: Any, stock: list[Tensor], look: Look, *, compiles: bool) -> str:
    """Settle how packed samples attend; returns the line for the log."""
    size = getattr(model.config, "head_dim", None)
    size = size or model.config.hidden_size // model.config.num_attention_heads
    query = stock[0].new_empty(1, 1, 1, size)
    if attention.has_varlen_kernel(query, query):
        return "attention: FlashAttention over samples of different lengths"
    if not compiles:
        return "attention: sample by sample, FlashAttention has no kernel for it"
    problem = keep_if_equal(model, fused.by_flex, stock, look)
    return "attention: FlexAttention" if problem is None else f"attention: stock ({problem})"


def _left_off(wish: Compilation) -> str:
    if wish is Compilation.OFF:
        return "compile is off"
    return f"the run is too short to compile, under {PAYS_S / 60:.0f} minutes"


def keep_if_equal(model: Any, change: Change, wanted: list[Tensor], look: Look) -> str | None:
    """Change the model if `look` still gives what is `wanted`; returns why it was not changed."""
    with ExitStack() as undo:
        try:
            change(model, undo)
            found = look()
        except Exception as error:  # whatever a compiler on a foreign machine may raise
            if is_out_of_memory(error):
                raise
            return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        if _equal(found, wanted):
            undo.pop_all()
            return None
    return "it gave other numbers"


def _states(model: Any, packed: bool) -> list[Tensor]:
    """Last hidden states of random tokens, and the gradients of word vectors and learnt norms."""
    decoder, words = model.get_decoder(), model.get_input_embeddings()
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, words.num_embeddings, (1, sum(TRIED)), generator=generator)
    inputs = words(ids.to(words.weight.device)).detach().requires_grad_()
    learnt = [p for p in decoder.parameters() if p.requires_grad and p.dim() == 1]
    row: dict[str, Any] = {}
    if packed:
        positions = torch.cat([torch.arange(length) for length in TRIED])[None]
        row = {"position_ids": positions.to(inputs.device), "sample_lengths": TRIED}
    was_training = model.training
    model.eval()
    try:
        out = decoder(inputs_embeds=inputs, use_cache=False, **row).last_hidden_state
        push = torch.randn(out.shape, generator=generator).to(out)
        return [out.detach(), *torch.autograd.grad(out, (inputs, *learnt), push)]
    finally:
        model.train(was_training)


def _outcome(forward: Forward) -> list[Tensor]:
    """What an objective computes of random texts, and the gradients of what learns, all in one.

    All in one: some are nothing but rounding, as those of biases that shift all scores alike.
    """
    model, row = forward.model, random_row(forward.model, TRIED_TEXTS)
    learnt = [p for p in model.parameters() if p.requires_grad and p.numel() <= COMPARED]
    was_training = model.training
    model.eval()
    try:
        if isinstance(forward, Scorer):
            ends = torch.tensor(TRIED_TEXTS, device=model.device).cumsum(0) - 1
            out = forward.scores(replace(row, predicting=ends))
        else:
            out = forward.cross_entropy(row)
        push = torch.randn(out.shape, generator=torch.Generator().manual_seed(0)).to(out)
        gradients = torch.autograd.grad(out, learnt, push, allow_unused=True) if learnt else ()
    finally:
        model.train(was_training)
    flat = [gradient.flatten().float() for gradient in gradients if gradient is not None]
    dtype = model.get_input_embeddings().weight.dtype
    return [each.to(dtype) for each in (out.detach(), *([torch.cat(flat)] if flat else []))]


def _equal(found: list[Tensor], wanted: list[Tensor]) -> bool:
    most = TOLERANCE[wanted[0].dtype]
    pairs = [(mine.float(), other.float()) for mine, other in zip(found, wanted, strict=True)]
    return all(bool((mine - other).norm() <= most * other.norm()) for mine, other in pairs)
