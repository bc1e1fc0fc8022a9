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


def mixed(order: Sequence[int], lengths: Sequence[int], batch_size: int, begun: int) -> list[int]:
    """The same samples, dealt so that every step gets short and long ones alike.

    Stratified sampling: the samples of full steps are cut by length into as many equal classes as a
    step has samples, and each step gets one of each class. Steps then hold about equally many
    tokens: gradients scatter less, and no step takes much more time or memory than the others.
    `order` is random; its first `begun` samples belong to a step of the epoch before, and what
    makes no full step comes last.
    """
    steps = (len(order) - begun) // batch_size
    end = begun + steps * batch_size
    by_length = sorted(range(begun, end), key=lambda place: lengths[order[place]])
    classes = [sorted(by_length[i * steps : (i + 1) * steps]) for i in range(batch_size)]
    # In random order within the step, so that its parts are alike too.
    dealt = [order[place] for step in zip(*classes, strict=True) for place in sorted(step)]
    return [*order[:begun], *dealt, *order[end:]]


class SampleOrder:
    """The endless stream of samples, epoch after epoch; position k is read in any order.

    `lengths`: tokens of each sample. `batch_size`: samples of a step, whose steps begin at its
    multiples.
    """

    def __init__(self, seed: int, lengths: Sequence[int], batch_size: int) -> None:
        self._seed, self._lengths, self._batch_size = seed, lengths, batch_size
        self._epoch, self._order = -1, list[int]()

    def take(self, position: int, count: int) -> Sequence[int]:
        """Sample ids at `position` … `position + count - 1`."""
        found: list[int] = []
        while len(found) < count:
            epoch, place = divmod(position + len(found), len(self._lengths))
            if epoch != self._epoch:
                self._epoch, self._order = epoch, self._of(epoch)
            found += self._order[place : place + count - len(found)]
        return found

    def _of(self, epoch: int) -> list[int]:
        size = len(self._lengths)
        begun = min(size, -epoch * size % self._batch_size)
        shuffled = permutation(self._seed, epoch, size)
        return mixed(shuffled, self._lengths, self._batch_size, begun)
