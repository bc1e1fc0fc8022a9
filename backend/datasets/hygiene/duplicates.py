"""Which rows say again what another one says: exactly, or nearly."""

from collections.abc import Callable
from typing import Any

import numpy as np

from backend.datasets.hygiene import signatures
from backend.datasets.hygiene.fingerprints import Signatures, Some

Array = np.ndarray[Any, Any]
BLOCK = 50_000
# What a row of a group has to have in common with the one that stays for it.
LOOSE = 0.5
ROUNDS = 50


def exact(hashes: Array) -> tuple[Array, Array]:
    """`(rows, firsts)`: each row whose hash an earlier row has, ascending, and that first row."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    new = np.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.maximum.accumulate(np.where(new, np.arange(len(ordered)), 0))
    again = np.flatnonzero(~new)
    rows, firsts = order[again], order[starts[again]]
    by_row = np.argsort(rows)
    return rows[by_row], firsts[by_row]


def unseen(rows: Array, compared: Array, framed: Array) -> dict[str, int]:
    """How many of the `rows` (bool, as the others) are mostly or wholly hidden from `near`."""
    return {
        "near_framed_rows": int((rows & framed).sum()),
        "near_left_out_rows": int((rows & ~compared).sum()),
    }


def near(
    matrix: Signatures | Some | Array, rows: Array, tick: Callable[[int], None]
) -> tuple[Array, Array]:
    """`(rows, firsts)` of those among `rows` that nearly say what an earlier one of them says.

    `matrix` holds the signatures of all rows, and may be mapped from a file. Rows that agree in a
    band are compared with the first and with the one before in that band; what is alike is joined
    to groups (union-find), of which the first row stays. Time grows with the rows, not with the
    pairs. `tick` is told the number of the band that is done.
    """
    group = np.arange(len(rows))
    for band in range(signatures.BANDS):
        keys = _keys(matrix, rows, band)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        new = np.ones(len(keys), bool)
        new[1:] = keys[1:] != keys[:-1]
        starts = np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))
        again = np.flatnonzero(~new)
        for others in (starts[again], again - 1):
            _join(matrix, rows, group, order[others], order[again])
        tick(band)
    first = _near_enough(matrix, rows, group)
    later = np.flatnonzero(first != np.arange(len(rows)))
    return rows[later], rows[first[later]]


def _near_enough(matrix: Signatures | Some | Array, rows: Array, group: Array) -> Array:
    """For each row the one of its group that stays for it: itself, or one that is `LOOSE` alike.

    Groups are chains, whose ends may have little in common: what is too far from the first row
    stays too, for those that come after it.
    """
    first = np.arange(len(rows))
    leader = group.copy()
    waiting = np.flatnonzero(group != first)
    for _ in range(ROUNDS):
        far: list[Array] = [waiting[:0]]
        for start in range(0, len(waiting), BLOCK):
            some = waiting[start : start + BLOCK]
            like = signatures.likeness(matrix[rows[some]], matrix[rows[leader[some]]])
            enough = like >= LOOSE
            first[some[enough]] = leader[some[enough]]
            far.append(some[~enough])
        waiting = np.concatenate(far)
        groups, places, which = np.unique(group[waiting], return_index=True, return_inverse=True)
        if not len(groups):
            break
        leader[waiting] = waiting[places][which]
        waiting = waiting[leader[waiting] != waiting]
    return first


def _keys(matrix: Signatures | Some | Array, rows: Array, band: int) -> Array:
    keys = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        keys[part] = signatures.band_keys(matrix[rows[part]], band)
    return keys


def _join(
    matrix: Signatures | Some | Array, rows: Array, group: Array, left: Array, right: Array
) -> None:
    """Put rows that are alike into one group, which has the number of its first row."""
    for start in range(0, len(left), BLOCK):
        a, b = left[start : start + BLOCK], right[start : start + BLOCK]
        apart = group[a] != group[b]
        a, b = a[apart], b[apart]
        alike = signatures.likeness(matrix[rows[a]], matrix[rows[b]]) >= signatures.SAME
        a, b = a[alike], b[alike]
        while len(a):
            low, high = np.minimum(group[a], group[b]), np.maximum(group[a], group[b])
            np.minimum.at(group, high, low)
            _shorten(group)
            apart = group[a] != group[b]
            a, b = a[apart], b[apart]


def _shorten(group: Array) -> None:
    while not np.array_equal(above := group[group], group):
        group[:] = above
