"""Sharing out whole rows: exact numbers by the largest remainder, and what belongs together."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def exactly(number: float) -> Fraction:
    """The number as it was written: 0.1 is a tenth."""
    return Fraction(repr(float(number)))


def of_weights(weights: Sequence[float]) -> list[Fraction]:
    """Shares that add up to 1."""
    exact = [exactly(weight) for weight in weights]
    return [weight / sum(exact) for weight in exact]


def of_fractions(fractions: dict[str, float], order: Sequence[str], rest: str) -> list[Fraction]:
    """The share of each part in `order`; what is left belongs to `rest`."""
    exact = {name: exactly(share) for name, share in fractions.items()}
    total = sum(exact.values())
    if total > 1:  # by a rounding error
        exact = {name: share / total for name, share in exact.items()}
        total = Fraction(1)
    exact[rest] = exact.get(rest, Fraction(0)) + 1 - total
    return [exact[name] for name in order]


def largest_remainder(total: int, fractions: Sequence[Fraction]) -> list[int]:
    """Whole numbers that add up to `total`; of equal remainders the first ones get the rows."""
    quotas = [share * total for share in fractions]
    found = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda n: (found[n] - quotas[n], n))
    for number in by_remainder[: total - sum(found)]:
        found[number] += 1
    return found


def in_classes(sizes: Sequence[int], fractions: Sequence[Fraction]) -> list[list[int]]:
    """Rows of each class for each part: whole shares first, then the largest remainders, so that
    classes and parts both add up exactly."""
    wanted = largest_remainder(sum(sizes), fractions)
    found = [[int(share * size) for share in fractions] for size in sizes]
    of_class = [size - sum(row) for size, row in zip(sizes, found, strict=True)]
    of_part = [part - sum(row[n] for row in found) for n, part in enumerate(wanted)]
    places = [
        (row[n] - share * size, c, n)
        for c, (size, row) in enumerate(zip(sizes, found, strict=True))
        for n, share in enumerate(fractions)
    ]
    for _, c, n in sorted(places):
        if of_class[c] and of_part[n] > 0:
            found[c][n] += 1
            of_class[c] -= 1
            of_part[n] -= 1
    for c, left in enumerate(of_class):
        for n in range(len(fractions)):
            more = max(0, min(left, of_part[n]))
            found[c][n] += more
            of_part[n] -= more
            left -= more
    return found


def deal(sizes: Array, keys: Array, wanted: Sequence[int]) -> Array:
    """The part of each unit of rows that stay together; `keys` (uint64) are its chance.

    Parts get exactly the rows that are `wanted`, as far as units of more than one row allow it:
    those come first, the largest before the others, each to a part with room for it.
    """
    parts = np.zeros(len(sizes), np.int64)
    left = list(wanted)
    large = np.flatnonzero(sizes > 1)
    for unit in large[np.lexsort((keys[large], -sizes[large]))].tolist():
        size = int(sizes[unit])
        part = _drawn(left, size, int(keys[unit]))
        parts[unit] = part
        left[part] -= size
    single = np.flatnonzero(sizes == 1)
    counts = _fitting(left, len(single))
    in_chance = single[np.argsort(keys[single], kind="stable")]
    parts[in_chance] = np.repeat(np.arange(len(counts)), counts)
    return parts


def _drawn(left: list[int], size: int, key: int) -> int:
    """A part that has room, by chance and the more likely the more room it has."""
    room = [rows if rows >= size else 0 for rows in left]
    total = sum(room)
    if not total:
        return left.index(max(left))
    at = key * total >> 64
    for part, rows in enumerate(room):
        if at < rows:
            return part
        at -= rows
    raise AssertionError("unreachable")


def _fitting(left: list[int], number: int) -> list[int]:
    """What is left of each part for `number` single rows, after large units took what they did."""
    counts = [max(0, rows) for rows in left]
    while (excess := sum(counts) - number) > 0:
        largest = counts.index(max(counts))
        counts[largest] -= min(excess, max(1, counts[largest] // 2))
    return counts
