"""Learning rates by hand."""

from typing import Any

import pytest

from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.schedule import learning_rate


def rates(steps: int, **knobs: Any) -> list[float]:
    chosen = Hyperparameters(learning_rate=1.0, **knobs)
    return [learning_rate(chosen, step, steps) for step in range(1, steps + 1)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1, 1, 1]),
        ("linear", [1 / 3, 2 / 3, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]),
        (
            "cosine",
            [1 / 3, 2 / 3, 1, 0.9619, 0.8536, 0.6913, 0.5, 0.3087, 0.1464, 0.0381],
        ),
        ("wsd", [1 / 3, 2 / 3, 1, 1, 1, 1, 1, 3 / 4, 2 / 4, 1 / 4]),
    ],
)
def test_by_hand(schedule: str, expected: list[float]) -> None:
    found = rates(10, schedule=schedule, warmup_ratio=0.2, decay_ratio=0.3)
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "wsd"])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("warmup", [0, 0.01, 0.5])
def test_every_step_learns_and_none_too_much(schedule: str, steps: int, warmup: float) -> None:
    found = rates(steps, schedule=schedule, warmup_ratio=warmup, decay_ratio=1)
    assert all(0 < rate <= 1 for rate in found)
    top = found.index(max(found))
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)


def test_shares_are_not_rounded_up_by_binary_fractions() -> None:
    found = rates(100, schedule="constant", warmup_ratio=0.07)
    assert sum(rate < 1 for rate in found) == 7


def test_wsd_without_a_stable_part() -> None:
    assert rates(4, schedule="wsd", warmup_ratio=0, decay_ratio=1) == [4 / 5, 3 / 5, 2 / 5, 1 / 5]
