"""A run that is not expected to fit: refused with the smaller settings that would, when there are.

Only what keeps the meaning of the run is offered, in this order: a smaller micro-batch and then
activations computed twice (the same result, slower), LoRA instead of full tuning, shorter rows,
weights in four bits.
"""

from collections.abc import Iterator

from backend.errors import Conflict, FieldError
from backend.tasks.estimates import Basis
from training_engine.contract.choices import ADAPTED, Device, Method, Optimizer, Strategy
from training_engine.contract.hyperparameters import Hyperparameters

SHORTEST = 128
Change = dict[str, str | int]

_POINTERS = {
    "micro_batch_size": "/hyperparameters/micro_batch_size",
    "gradient_checkpointing": "/hyperparameters/gradient_checkpointing",
    "max_length": "/hyperparameters/max_length",
    "method": "/method",
    "optimizer": "/hyperparameters/optimizer",
}
_WORDS = {
    "micro_batch_size": "a micro-batch of {value}",
    "gradient_checkpointing": "gradient checkpointing",
    "max_length": "at most {value} tokens per row",
    "method": "the method {value}",
    "optimizer": "the optimizer {value}",
}


class MemoryWillNotFit(Conflict):
    """This run is not expected to fit into this machine's memory."""


def refusal(basis: Basis) -> MemoryWillNotFit:
    """The answer to a plan that will not fit, with the settings that do."""
    asked = basis.plan.asked
    needed = basis.of(asked.method, asked.hyperparameters).memory_bytes or 0
    available = basis.facts.available_bytes(basis.device)
    detail = (
        f"This run needs about {_gb(needed)} of memory and {_gb(available)} can be had. "
        "Change the settings, choose a smaller model, or accept the risk."
    )
    params = {"needed_bytes": needed, "available_bytes": available}
    found = _that_fits(basis)
    if found is None:
        return MemoryWillNotFit(detail, params=params)
    change, smaller = found
    words = " and ".join(_WORDS[name].format(value=value) for name, value in change.items())
    sentence = f"With {words} about {_gb(smaller)} are needed."
    errors = [
        FieldError(
            pointer=_POINTERS[name],
            code="memory_setting_that_fits",
            message=sentence,
            params={"value": value, "needed_bytes": smaller},
        )
        for name, value in change.items()
    ]
    return MemoryWillNotFit(f"{detail} {sentence}", params=params, errors=errors)


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def _that_fits(basis: Basis) -> tuple[Change, int] | None:
    """The first change that makes the plan fit, and the bytes it then needs."""
    asked = basis.plan.asked
    longest = basis.lengths.longest_tokens
    # Weights in four bits can not be cut among processes, and want bitsandbytes.
    may_quantise = asked.distributed.strategy is not Strategy.FSDP and basis.device != Device.MPS
    for change in _changes(asked.method, asked.hyperparameters, longest, may_quantise=may_quantise):
        knobs = {name: value for name, value in change.items() if name != "method"}
        found = basis.of(
            Method(str(change.get("method", asked.method))),
            asked.hyperparameters.model_copy(update=knobs),
        )
        if found.memory_bytes is not None and found.fits != "will_not_fit":
            return change, found.memory_bytes
    return None


def _changes(
    method: Method, knobs: Hyperparameters, longest: int, *, may_quantise: bool
) -> Iterator[Change]:
    """From the gentlest to the harshest; each says all that it changes."""
    single: Change = {"micro_batch_size": 1} if knobs.micro_batch_size != 1 else {}
    again: Change = {} if knobs.gradient_checkpointing else {"gradient_checkpointing": True}
    slower: Change = {**single, **again}
    lora: Change = {} if method in ADAPTED else {"method": Method.LORA.value}
    if lora and knobs.optimizer is Optimizer.MUON:  # which is refused on adapters
        lora["optimizer"] = Optimizer.ADAMW
    if single:
        yield single
    if again:
        yield slower
    if lora:
        yield lora
        yield {**lora, **slower}
    length = 1 << (max(2, min(knobs.max_length, longest)) - 1).bit_length() - 1
    while length >= SHORTEST:
        yield {**lora, **slower, "max_length": length}
        length //= 2
    if may_quantise and method is not Method.QLORA:
        yield {**lora, **slower, "method": Method.QLORA.value}
