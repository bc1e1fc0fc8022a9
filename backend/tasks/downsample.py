"""Fewer points for a chart, so that no spike and no NaN is lost.

The points are cut into equal buckets; each keeps its first and last point, its lowest and its
highest, and the first that is not a number.
"""

from collections.abc import Sequence
from math import inf, isnan

PER_BUCKET = 5


def kept_indexes(values: Sequence[float], max_points: int) -> list[int]:
    """Which of `values` to show: at most `max_points` (≥ `PER_BUCKET`), in order."""
    if len(values) <= max_points:
        return list(range(len(values)))
    buckets = max(1, max_points // PER_BUCKET)
    size = -(-len(values) // buckets)
    kept: list[int] = []
    for start in range(0, len(values), size):
        kept.extend(_telling(values, start, min(start + size, len(values))))
    return kept


def _telling(values: Sequence[float], start: int, end: int) -> list[int]:
    """Indexes of the points of one bucket that a chart must show."""
    shown = {start, end - 1}
    low = high = None
    lowest, highest, missing = inf, -inf, False
    for index in range(start, end):
        value = values[index]
        if isnan(value):
            if not missing:
                shown.add(index)
            missing = True
            continue
        if value < lowest:
            low, lowest = index, value
        if value > highest:
            high, highest = index, value
    shown.update(index for index in (low, high) if index is not None)
    return sorted(shown)
