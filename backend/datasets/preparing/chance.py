"""Chance that is the same on every machine and with every version of every library.

Numbers come from SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
2014) over row numbers, so no two rows of a step have the same.
"""

import hashlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def keys(number: int, *what: object) -> Array:
    """`number` different uint64; `what` (seed, step, purpose) tells one such list from another."""
    start = np.uint64(digest(":".join(map(str, what)).encode()))
    with np.errstate(over="ignore"):
        mixed = np.arange(1, number + 1, dtype=np.uint64) * _GAMMA + start
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        mixed ^= mixed >> np.uint64(31)
    return mixed


def order(number: int, *what: object) -> Array:
    """0 … `number` - 1 in an order by chance (int64)."""
    return np.argsort(keys(number, *what), kind="stable")


def chosen(number: int, size: int, *what: object) -> Array:
    """A mask of `size` of `number` places; all when there are not more."""
    mask = np.zeros(number, bool)
    if size >= number:
        mask[:] = True
    elif size:
        mask[np.argpartition(keys(number, *what), size - 1)[:size]] = True
    return mask


def digest(content: bytes) -> int:
    """64 bits that stand for a content."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")
