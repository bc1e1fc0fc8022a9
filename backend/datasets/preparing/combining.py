"""The steps that take rows of other data sets: `concatenate` and `mix`."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from backend.datasets.prepare_schemas import ConcatenateStep, MixStep
from backend.datasets.preparing import chance, shares, spool
from backend.datasets.preparing.spool import Array
from backend.datasets.preparing.stream import Batch, Kept, NotPossible, Stream
from backend.datasets.preparing.work import Work

MAX_REPEATS, MAX_ROWS = 100, 50_000_000


def concatenated(rows: Stream, _step: ConcatenateStep, work: Work) -> Iterator[Batch]:
    """These rows and behind them those of the sources, in the order in which they are named."""
    yield from rows
    for source in work.sources:
        yield from source


def mixed(rows: Stream, step: MixStep, work: Work) -> Iterator[Batch]:
    """So many rows of each as the weights say, in an order by chance."""
    own = spool.kept(rows, work.temp / "mixed", work.tick)
    every: list[Kept] = [own, *work.sources]
    weights = [step.weight, *(source.weight for source in step.sources)]
    sizes = [each.num_rows for each in every]
    total = mixture_size(sizes, weights, step.rows, repeat=step.repeat)
    if total > min(MAX_REPEATS * sum(sizes), MAX_ROWS):
        raise NotPossible(
            "mixture_too_large",
            f"The mixture would have {total} rows, made of {sum(sizes)} different ones.",
            f"Ask for fewer rows or choose other weights: {MAX_ROWS} rows at most, none of them "
            f"more than {MAX_REPEATS} times on average.",
            rows=total,
            different=sum(sizes),
            most=MAX_ROWS,
            repeats=MAX_REPEATS,
        )
    counts = shares.largest_remainder(total, shares.of_weights(weights))
    work.facts["rows_taken"] = counts
    ranks = chance.order(total, "mix", work.place, step.seed, "order")
    size_bytes = sum(
        each.size_bytes * count // each.num_rows
        for each, count in zip(every, counts, strict=True)
        if each.num_rows
    )

    def dealt() -> Iterator[tuple[Batch, Array]]:
        at = 0
        for number, (each, count) in enumerate(zip(every, counts, strict=True)):
            salt = ("mix", work.place, step.seed, number)
            for batch in _taken(each, count, *salt):
                yield batch, ranks[at : at + len(batch)]
                at += len(batch)

    if total:
        yield from spool.in_order(dealt(), total, size_bytes, work.temp / "buckets")
    spool.let_go(own)


def mixture_size(sizes: list[int], weights: list[float], rows: int | None, *, repeat: bool) -> int:
    """Rows of a mixture of sources of these sizes; see `MixStep`."""
    reach = [
        Fraction(size) / share
        for size, share in zip(sizes, shares.of_weights(weights), strict=True)
    ]
    if repeat:
        if not all(sizes):
            return 0
        return rows if rows is not None else -(-max(reach).numerator // max(reach).denominator)
    most = int(min(reach))
    return most if rows is None else min(rows, most)


def _taken(rows: Kept, count: int, *salt: object) -> Iterator[Batch]:
    """`count` of these rows by chance: each as often as all, and some once more than others."""
    if not count:
        return
    often, rest = divmod(count, rows.num_rows)
    times = often + chance.chosen(rows.num_rows, rest, *salt).astype(np.int64)
    at = 0
    for batch in rows:
        part = times[at : at + len(batch)]
        at += len(batch)
        taken = batch.take(np.repeat(np.arange(len(batch)), part).tolist())
        if len(taken):
            yield taken
