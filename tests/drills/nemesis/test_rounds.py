"""Rounds of the seeded nemesis; `make drill ROUNDS=100` plays more, with a seed of its own."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.drills.nemesis.rounds import Arena, Result

# `make test` plays the same few rounds every time, so that a failure is of the change.
FEW, MORE = range(1, 3), range(101, 111)
ROUNDS, SEED = "DRILL_ROUNDS", "DRILL_SEED"


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    """One platform for all rounds of this file."""
    made = Arena()
    yield made
    made.close()


def told(result: Result) -> str:
    """What a person needs to see why, and to see it again."""
    again = f"python -m tests.drills.nemesis.rounds --rounds 1 --seed {result.seed} --story"
    return "\n".join([f"seed {result.seed}; again: {again}", *result.story, *result.wrong])


@pytest.mark.parametrize("seed", FEW)
def test_a_few_rounds(arena: Arena, seed: int) -> None:
    result = arena.play(seed)
    assert not result.wrong, told(result)


@pytest.mark.long
@pytest.mark.parametrize("seed", MORE)
def test_more_rounds(arena: Arena, seed: int) -> None:
    result = arena.play(seed)
    assert not result.wrong, told(result)


@pytest.mark.drill
@pytest.mark.timeout(7200)
def test_as_many_rounds_as_asked_for(arena: Arena) -> None:
    """All are played, whatever becomes of the first ones."""
    first = int(os.environ.get(SEED) or random.SystemRandom().randrange(10**9))
    count = int(os.environ.get(ROUNDS, "100"))
    print(f"\nseeds {first} … {first + count - 1}")
    lost = []
    for seed in range(first, first + count):
        result = arena.play(seed)
        print(f"{'✖' if result.wrong else '✔'} seed {seed}  {result.took_s:.1f} s", flush=True)
        if result.wrong:
            lost.append(told(result))
            print(lost[-1], flush=True)
    assert not lost, f"{len(lost)} of {count} rounds: " + "\n\n".join(lost)
