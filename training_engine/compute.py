"""One step's or one evaluation's samples through the model, however they are cut into rows."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from training_engine.contract.names import FailureCode
from training_engine.data.beginnings import sorting_key
from training_engine.data.encode import EncodedSet
from training_engine.data.packing import PackedRow, ahead, pack, sizes, split, tokens_of
from training_engine.failures import EngineFailure, is_out_of_memory
from training_engine.noise import random_state, set_random_state
from training_engine.objectives.criterion import Criterion, Totals
from training_engine.run import Run

Found = TypeVar("Found")
Look = Callable[[int], None]


@dataclass(frozen=True)
class Measured:
    """Mean loss and the objective's own metrics, over all samples of all processes."""

    loss: float
    metrics: dict[str, float]


def cut(run: Run, data: EncodedSet, samples: Sequence[int]) -> list[list[int]]:
    """The samples in groups that are computed at once."""
    ordered = _in_order(run, data, samples)
    groups = split(
        sizes(data, ordered, shared=shares(run, data, samples)),
        max_samples=run.at_once.samples,
        max_tokens=run.at_once.tokens,
    )
    return [[ordered[place] for place in group] for group in groups]


def _in_order(run: Run, data: EncodedSet, samples: Sequence[int]) -> list[int]:
    """Neighbours of equal length need little padding; those that begin alike compute it once."""
    if run.padded:
        return sorted(samples, key=data.length)
    if shares(run, data, samples):
        return sorted(samples, key=lambda s: sorting_key(data.text(data.sequences(s)[0])))
    return list(samples)


def shares(run: Run, data: EncodedSet, samples: Sequence[int]) -> bool:
    """Whether these samples compute once what they begin with alike."""
    return run.criterion.forward.shares(max(map(data.length, samples), default=0))


def rows_of(run: Run, data: EncodedSet, samples: Sequence[int]) -> Iterator[tuple[PackedRow, bool]]:
    """This process's part of the samples as rows that fit, one at a time, and True.

    Every process computes equally many rows, as sharded weights need it: who has fewer gets a short
    row more, and False for “it does not count”.
    """
    processes = run.processes
    parts = [cut(run, data, processes.part(samples, rank)) for rank in range(processes.count)]
    own, most = parts[processes.rank], max(map(len, parts))
    filling = [[min(samples, key=data.length)]] * (most - len(own))
    rows = (pack(data, group) for group in own + filling)
    for place, row in enumerate(ahead(rows, run.placement.device)):
        yield row, place < len(own)


def measure(
    run: Run, data: EncodedSet, samples: Sequence[int], *, learn: bool, look: Look | None = None
) -> Measured:
    """Forward over all samples, and backward when they are learnt from.

    `look`: called before each row with this process's samples so far, by all processes at the same
    rows; what it raises ends the measuring.
    """
    criterion = run.criterion
    totals = criterion.totals(data, samples)
    begun: dict[str, Tensor] = {}
    if criterion.begins:
        with torch.no_grad():
            for row, counts in _looked_at(rows_of(run, data, samples), look):
                _add(begun, run.through(partial(criterion.begin, row)), counts)
        begun = run.processes.add_up_all(begun)
    sums: dict[str, Tensor] = {}
    with torch.set_grad_enabled(learn):
        for row, counts in _looked_at(rows_of(run, data, samples), look):
            loss, told = run.through(partial(_share, criterion, row, totals, begun))
            if learn:
                (loss if counts else loss * 0).backward()
            _add(sums, {"loss": loss.detach(), **told}, counts)
    # Read once at the end: a GPU is not waited for in between.
    sums = {name: value.to("cpu") for name, value in run.processes.add_up_all(sums).items()}
    mean = float(sums.pop("loss"))
    return Measured(mean, criterion.summary(sums, totals))


def _looked_at(
    rows: Iterator[tuple[PackedRow, bool]], look: Look | None
) -> Iterator[tuple[PackedRow, bool]]:
    done = 0
    for row, counts in rows:
        if look is not None:
            look(done)
        yield row, counts
        done += len(row.samples)


def _share(
    criterion: Criterion, row: PackedRow, totals: Totals, begun: Mapping[str, Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """In a form that torch looks into."""
    share = criterion.loss(row, totals, begun)
    return share.loss, share.sums


def _add(sums: dict[str, Tensor], parts: Mapping[str, Tensor], counts: bool) -> None:
    for name, value in parts.items():
        added = value if counts else torch.zeros_like(value)
        sums[name] = sums[name] + added if name in sums else added


def learn(run: Run, samples: Sequence[int]) -> Measured:
    """Gradients of a step, added up over all processes; raises as `fitting` does."""
    found = fitting(run, run.data.train, samples, learn=True)
    if not run.sharded:  # sharded gradients were added up on the way
        run.processes.add_up(run.weights.gradient)
    return found


def fitting(
    run: Run, data: EncodedSet, samples: Sequence[int], *, learn: bool, look: Look | None = None
) -> Measured:
    """As `measure`, with gradients from zero, and with less at once when memory runs out.

    What was begun is then begun again with the same random numbers, and fewer samples are computed
    at once from here on: the effective batch stays what it is. Raises `EngineFailure` when not even
    one sample fits, or when the run does not allow it.
    """
    before = random_state(run.placement.device)

    def attempt() -> Measured:
        set_random_state(before, run.placement.device)
        if learn:
            run.weights.zero_gradients()
        return measure(run, data, samples, learn=learn, look=look)

    return with_less(run, data, samples, attempt)


def with_less(
    run: Run, data: EncodedSet, samples: Sequence[int], attempt: Callable[[], Found]
) -> Found:
    """What `attempt` gives for these samples, made again with less at once if memory runs out."""
    while True:
        try:
            return attempt()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            failed = error
        compute_less(run, data, samples, failed)


def compute_less(run: Run, data: EncodedSet, samples: Sequence[int], error: RuntimeError) -> None:
    """Halve what is computed at once; raises `EngineFailure` when it can not be less."""
    groups = cut(run, data, samples)
    # A sample by itself can not be cut further, however long it is.
    several = [group for group in groups if len(group) > 1]
    tokens = max((computed(run, data, group) for group in several), default=0)
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
            {
                "tokens": tokens or _longest(data, groups),
                "micro_batch_size": max(map(len, several), default=0) // 2,
            },
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


def computed(run: Run, data: EncodedSet, samples: Sequence[int]) -> int:
    """Tokens that are computed for these samples in one pass."""
    ordered = _in_order(run, data, samples)
    return tokens_of(sizes(data, ordered, shared=shares(run, data, samples)))


def count_tokens(data: EncodedSet, samples: Sequence[int]) -> int:
    """Tokens of these samples together."""
    return sum(data.length(sample) for sample in samples)


def _longest(data: EncodedSet, groups: list[list[int]]) -> int:
    return max(count_tokens(data, group) for group in groups)
