"""The learning rate of each optimizer step."""

import math

from training_engine.contract.choices import Schedule
from training_engine.contract.hyperparameters import Hyperparameters


def learning_rate(knobs: Hyperparameters, step: int, total_steps: int) -> float:
    """Rate of `step` (from 1): linear warm-up, then as the schedule says.

    What falls reaches zero one step after the last, so that the last step still learns. `wsd`
    (warm-up, stable, decay: https://arxiv.org/abs/2404.06395) falls linearly at the end.
    """
    warmup = _share(knobs.warmup_ratio, total_steps)
    if step <= warmup:
        return knobs.learning_rate * step / (warmup + 1)
    done = (step - 1 - warmup) / max(1, total_steps - warmup)
    match knobs.schedule:
        case Schedule.CONSTANT:
            factor = 1.0
        case Schedule.LINEAR:
            factor = 1.0 - done
        case Schedule.COSINE:
            factor = 0.5 * (1.0 + math.cos(math.pi * done))
        case Schedule.WSD:
            falling = min(total_steps - warmup, _share(knobs.decay_ratio, total_steps))
            factor = min(1.0, (total_steps + 1 - step) / (falling + 1))
    return knobs.learning_rate * factor


def _share(ratio: float, steps: int) -> int:
    """Steps, rounded up; 0.07 of 100 are 7, whatever the product is in binary."""
    return math.ceil(round(ratio * steps, 6))
