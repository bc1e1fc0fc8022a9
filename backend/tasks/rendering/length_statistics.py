"""Figures of a count of lengths: mean, quantiles, bins, rows over limits."""

from collections.abc import Iterable
from itertools import accumulate, pairwise
from math import ceil

from backend.tasks.rendering.counts import LengthsFile
from backend.tasks.rendering.schemas import LengthBin, RefusalReason, RowsOver, TokenLengths
from training_engine.contract.choices import Objective

LIMITS = (512, 1024, 2048)


def statistics(
    found: LengthsFile, objective: Objective, context_length: int | None
) -> TokenLengths:
    """Of a finished count; `context_length`: of the model, in tokens."""
    lengths = sorted(found.lengths.items())
    rows = sum(count for _, count in lengths)
    tokens = sum(length * count for length, count in lengths)
    limits = sorted({*LIMITS, *([context_length] if context_length else [])})
    return TokenLengths(
        status="ready",
        progress=1.0,
        objective=objective,
        counted_rows=rows + found.refused,
        num_rows=found.num_rows,
        mean=round(tokens / rows, 1) if rows else None,
        median=_quantile(lengths, rows, 0.5),
        p95=_quantile(lengths, rows, 0.95),
        p99=_quantile(lengths, rows, 0.99),
        max=lengths[-1][0] if lengths else None,
        bins=_bins(lengths),
        over=[RowsOver(limit=each, rows=_over(lengths, each)) for each in limits],
        refused=found.refused,
        reasons=[RefusalReason(reason=text, rows=n) for text, n in found.reasons.items()],
    )


def _quantile(lengths: list[tuple[int, int]], rows: int, share: float) -> int | None:
    """The shortest length that at least `share` of the rows do not exceed."""
    reached = zip(lengths, accumulate(count for _, count in lengths), strict=True)
    return next((length for (length, _), sofar in reached if sofar >= ceil(share * rows)), None)


def _over(lengths: list[tuple[int, int]], limit: int) -> int:
    return sum(count for length, count in lengths if length > limit)


def _edges(longest: int) -> Iterable[int]:
    """0, 16, 24, 32, 48, 64, …: two bins to each doubling."""
    yield 0
    edge = 16
    while edge <= longest:
        yield edge
        yield edge + edge // 2
        edge *= 2
    yield edge


def _bins(lengths: list[tuple[int, int]]) -> list[LengthBin]:
    """From the first to the last bin with rows in it."""
    if not lengths:
        return []
    found = [
        LengthBin(low=low, high=high, count=sum(n for each, n in lengths if low <= each < high))
        for low, high in pairwise(_edges(lengths[-1][0]))
    ]
    filled = [place for place, each in enumerate(found) if each.count]
    return found[filled[0] : filled[-1] + 1]
