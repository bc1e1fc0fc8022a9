"""MinHash signatures of texts (Broder 1997; rensa computes them), and what they say.

Two texts are near duplicates when their signatures agree in `SAME` of the places. Candidates are
found by bands: at a likeness of 0.8 two texts share a band with probability 0.998, at 0.5 with
0.28, at 0.3 with 0.015 (21 bands of 6 places).
"""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from rensa import RMinHash

from backend.datasets.hygiene import shingles

Array = np.ndarray[Any, Any]

BANDS, PLACES = 21, 6
WIDTH = BANDS * PLACES
BYTES = 2 * WIDTH
SEED = 20
# Estimated Jaccard likeness of shingle sets from which on two texts count as nearly the same.
SAME = 0.7
# With fewer shingles a text says too little to be compared with others.
MIN_SHINGLES = 3
# What so many of the sampled rows share is a frame around the rows and tells none from the other.
FRAME_SHARE, FRAME_ROWS = 0.1, 20
# Two texts of which so much is the same frame would count as nearly the same if it counted: 0.82 of
# each is 0.7 of both together.
MOSTLY_FRAME = 0.82

_FACTORS = np.array(
    [pow(0x9E3779B97F4A7C15, n + 1, 1 << 64) | 1 for n in range(PLACES)], dtype=np.uint64
)


def frame_of(texts: Sequence[str]) -> Array:
    """Shingles (sorted) that many of these sampled texts (folded) share."""
    distinct = sorted(set(texts))
    hashes, offsets = shingles.of_texts(distinct)
    sets = [np.unique(hashes[a:b]) for a, b in pairwise(offsets)]
    if not sets:
        return np.zeros(0, np.uint64)
    values, counts = np.unique(np.concatenate(sets), return_counts=True)
    return values[counts >= max(FRAME_ROWS, FRAME_SHARE * len(distinct))]


def of_texts(texts: list[str], frame: Array) -> tuple[Array, Array, Array]:
    """`(signatures uint16 (rows, WIDTH), compared bool (rows,), framed bool (rows,))` of folded
    texts; the frame does not count, and is nearly all of those that are framed."""
    hashes, offsets = shingles.of_texts(texts)
    total = np.diff(offsets.astype(np.int64))
    if len(frame) and len(hashes):
        own = ~_is_in(hashes, frame)
        kept = np.concatenate([[0], np.cumsum(own)])
        hashes, offsets = hashes[own], kept[offsets.astype(np.int64)].astype(np.uint64)
    left = np.diff(offsets.astype(np.int64))
    compared = left >= MIN_SHINGLES
    framed = (total >= MIN_SHINGLES) & (total - left >= MOSTLY_FRAME * total)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        np.ascontiguousarray(hashes), np.ascontiguousarray(offsets), WIDTH, SEED
    )
    numbers = chain.from_iterable(matrix.to_rows())
    signatures = np.fromiter(numbers, np.uint32, WIDTH * len(texts)).astype(np.uint16)
    signatures = signatures.reshape(len(texts), WIDTH)
    signatures[~compared] = 0
    return signatures, compared, framed


def _is_in(values: Array, among: Array) -> Array:
    """Which values are in the sorted `among`; most are not, and one bit says so."""
    bits = np.zeros(1 << 16, bool)
    bits[(among & np.uint64(0xFFFF)).astype(np.int64)] = True
    found = bits[(values & np.uint64(0xFFFF)).astype(np.int64)]
    maybe = np.flatnonzero(found)
    places = np.minimum(np.searchsorted(among, values[maybe]), len(among) - 1)
    found[maybe] = among[places] == values[maybe]
    return found


def band_keys(signatures: Array, band: int) -> Array:
    """One uint64 per row; rows with the same key are candidates."""
    part = signatures[:, band * PLACES : (band + 1) * PLACES].astype(np.uint64)
    keys: Array = ((part + np.uint64(1)) * _FACTORS).sum(axis=1, dtype=np.uint64)
    keys ^= keys >> np.uint64(29)
    return keys


def likeness(left: Array, right: Array) -> Array:
    """Estimated Jaccard likeness of rows of two signature matrices."""
    estimate: Array = (left == right).mean(axis=1)
    return estimate
