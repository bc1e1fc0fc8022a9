"""Which sample comes when: a pure function of seed and position, the same on every machine.

Order and split come from keyed hashes, not from a library's random numbers, so that a run can be
resumed or repeated with other versions. The order of an epoch is never stored; a position is.
"""

from collections.abc import Sequence
from hashlib import blake2b


def _rank(seed: int, purpose: str, item: int) -> bytes:
    return blake2b(f"{purpose}/{item}".encode(), key=str(seed).encode(), digest_size=8).digest()


def permutation(seed: int, epoch: int, size: int) -> list[int]:
    """The order of `size` samples in an epoch (from 0)."""
    purpose = f"epoch-{epoch}"
    return sorted(range(size), key=lambda item: (_rank(seed, purpose, item), item))


def held_out(seed: int, size: int, fraction: float) -> set[int]:
    """Rows kept for evaluation: `fraction` of them, at least one when there are ten or more."""
    count = round(size * fraction)
    if fraction > 0 and size >= 10:
        count = max(1, count)
    chosen = sorted(range(size), key=lambda item: (_rank(seed, "evaluation", item), item))
    return set(chosen[:count])


class SampleOrder:
    """The endless stream of samples, epoch after epoch; position k is read in any order."""

    def __init__(self, seed: int, size: int) -> None:
        self._seed, self._size = seed, size
        self._epoch, self._order = -1, list[int]()

    def take(self, position: int, count: int) -> Sequence[int]:
        """Sample ids at `position` … `position + count - 1`."""
        found: list[int] = []
        while len(found) < count:
            epoch, place = divmod(position + len(found), self._size)
            if epoch != self._epoch:
                self._epoch, self._order = epoch, permutation(self._seed, epoch, self._size)
            found += self._order[place : place + count - len(found)]
        return found
