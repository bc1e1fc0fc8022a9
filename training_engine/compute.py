"""One step's or one evaluation's samples through the model, however they are cut into rows."""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training_engine.contract.names import FailureCode
from training_engine.data.encode import EncodedSet
from training_engine.data.packing import PackedRow, pack, split
from training_engine.failures import EngineFailure, is_out_of_memory
from training_engine.run import Run, random_state, set_random_state


@dataclass(frozen=True)
class Measured:
    """Mean loss and the objective's own metrics, over all samples of all processes."""

    loss: float
    metrics: dict[str, float]


def cut(run: Run, data: EncodedSet, samples: Sequence[int]) -> list[list[int]]:
    """The samples in groups that are computed at once."""
    at_once = run.at_once
    if run.padded:  # neighbours of equal length need little padding
        samples = sorted(samples, key=data.length)
    return split(data, samples, max_samples=at_once.samples, max_tokens=at_once.tokens)


def rows_of(run: Run, data: EncodedSet, samples: Sequence[int]) -> Iterator[PackedRow]:
    """The samples as rows that fit, one at a time."""
    for part in cut(run, data, samples):
        yield pack(data, part).to(run.placement.device)


def measure(
    run: Run, data: EncodedSet, samples: Sequence[int], *, learn: bool
) -> Measured:
    """Forward over all samples, and backward when they are learnt from."""
    criterion, mine = run.criterion, run.processes.part(samples)
    totals = criterion.totals(data, samples)
    with torch.no_grad():
        begun = criterion.begin(rows_of(run, data, mine), totals)
    begun = run.processes.add_up_all(begun)
    sums = {"loss": torch.zeros((), device=run.placement.device)}
    with torch.set_grad_enabled(learn):
        for row in rows_of(run, data, mine):
            share = criterion.loss(row, totals, begun)
            if learn:
                share.loss.backward()
            for name, value in (("loss", share.loss.detach()), *share.sums.items()):
                sums[name] = sums[name] + value if name in sums else value
    # Read once at the end: a GPU is not waited for in between.
    sums = {
        name: value.to("cpu") for name, value in run.processes.add_up_all(sums).items()
    }
    loss: Tensor = sums.pop("loss")
    return Measured(float(loss), criterion.summary(sums, totals))


def learn(run: Run, samples: Sequence[int]) -> Measured:
    """Gradients of a step, added up over all processes; raises as `fitting` does."""
    found = fitting(run, run.data.train, samples, learn=True)
    run.processes.add_up(run.weights.gradient)
    return found


def fitting(
    run: Run, data: EncodedSet, samples: Sequence[int], *, learn: bool
) -> Measured:
    """As `measure`, with gradients from zero, and with less at once when memory runs out.

    What was begun is then begun again with the same random numbers, and fewer samples are computed
    at once from here on: the effective batch stays what it is. Raises `EngineFailure` when not even
    one sample fits, or when the run does not allow it.
    """
    before = random_state(run.placement.device)
    while True:
        if learn:
            run.weights.zero_gradients()
        try:
            return measure(run, data, samples, learn=learn)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            failed = error
        compute_less(run, data, samples, failed)
        set_random_state(before, run.placement.device)


def compute_less(
    run: Run, data: EncodedSet, samples: Sequence[int], error: RuntimeError
) -> None:
    """Halve what is computed at once; raises `EngineFailure` when it can not be less."""
    groups = cut(run, data, samples)
    # A sample by itself can not be cut further, however long it is.
    tokens = max(
        (count_tokens(data, group) for group in groups if len(group) > 1), default=0
    )
    recovers = run.spec.hyperparameters.recover_from_oom
    if not recovers or not tokens or run.processes.count > 1:
        raise EngineFailure(
            FailureCode.OUT_OF_MEMORY,
            f"Memory ran out with {tokens} tokens computed at once."
            if tokens
            else f"Memory ran out with one sample of {_longest(data, groups)} tokens.",
            "Lower micro_batch_size: the result is the same."
            if tokens
            else "Lower max_length, switch gradient_checkpointing on, or choose a smaller model.",
            {"tokens": tokens or _longest(data, groups)},
        ) from error
    error.__traceback__ = None  # it holds the activations
    gc.collect()
    if run.placement.device.type == "cuda":
        torch.cuda.empty_cache()
    run.at_once.tokens = tokens // 2
    run.reporter.notice(
        "warning",
        "computes_less_at_once",
        f"Memory ran out with {tokens} tokens at once: from here on at most {tokens // 2} are "
        "computed at once. The effective batch and the result stay the same.",
        tokens=tokens // 2,
    )


def count_tokens(data: EncodedSet, samples: Sequence[int]) -> int:
    """Tokens of these samples together."""
    return sum(data.length(sample) for sample in samples)


def _longest(data: EncodedSet, groups: list[list[int]]) -> int:
    return max(count_tokens(data, group) for group in groups)
