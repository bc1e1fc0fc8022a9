"""The learning rate of each optimizer step."""

import math

from training_engine.contract.choices import Schedule
from training_engine.contract.hyperparameters import Hyperparameters


def learning_rate(knobs: Hyperparameters, step: int, total_steps: int) -> float:
    """Rate of `step` (from 1): linear warm-up, then as the schedule says.

    Linear and cosine reach zero one step after the last, so that the last step still learns.
    """
    warmup = math.ceil(knobs.warmup_ratio * total_steps)
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
    return knobs.learning_rate * factor
