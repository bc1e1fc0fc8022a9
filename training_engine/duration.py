"""How many steps, tokens and seconds a run has, as `plan.py` will settle it. No torch."""

import math
from dataclasses import dataclass

from training_engine.contract.choices import Method
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.model_shape import ModelShape

# Usable matrix throughput in FLOP/s where no run was measured: per core, or of the whole device.
_CPU_FLOPS_PER_CORE = {"bfloat16": 90e9, "float16": 20e9, "float32": 20e9}
_DEVICE_FLOPS = {"cuda": 60e12, "mps": 4e12}
# Forward and backward of frozen weights; with weights that learn, their gradient too.
_FLOPS_PER_WEIGHT = {Method.LORA: 4, Method.QLORA: 4, Method.FREEZE: 4, Method.FULL: 6}
_START_S = 12.0
_EVALUATION_SPEEDUP = 3.0
_EVALUATIONS_PER_RUN = 10
_MEASURED_RANGE, _GUESSED_RANGE = (0.8, 1.25), (0.5, 2.5)


@dataclass(frozen=True)
class Length:
    """Optimizer steps, tokens trained on over the whole run, tokens of one evaluation."""

    steps: int
    tokens: int
    evaluation_tokens: int


def length_of(
    num_rows: int, validation_rows: int, mean_tokens: float, knobs: Hyperparameters
) -> Length:
    """`validation_rows`: of a separate set; without one, a share of the rows is held out."""
    held_out = validation_rows
    if not validation_rows and knobs.evaluation_fraction > 0:
        held_out = round(num_rows * knobs.evaluation_fraction)
        held_out = max(1, held_out) if num_rows >= 10 else held_out
    train_rows = max(1, num_rows if validation_rows else num_rows - held_out)
    samples = max(1, round(knobs.epochs * train_rows))
    steps = math.ceil(samples / knobs.batch_size)
    if knobs.max_steps is not None and knobs.max_steps < steps:
        steps, samples = knobs.max_steps, knobs.max_steps * knobs.batch_size
    return Length(steps, round(samples * mean_tokens), round(held_out * mean_tokens))


def seconds_of(
    length: Length,
    shape: ModelShape,
    method: Method,
    *,
    measured: float | None,
    device: str,
    dtype: str,
    cores: int,
) -> tuple[float, float]:
    """Optimistic and pessimistic; `measured` is tokens per second of an earlier run here."""
    if measured:
        speed, (low, high) = measured, _MEASURED_RANGE
    else:
        matrices = shape.layers * sum(linear.size for linear in shape.linears) + shape.embedding
        flops = _DEVICE_FLOPS.get(device) or _CPU_FLOPS_PER_CORE[dtype] * max(1, cores)
        speed, (low, high) = flops / (_FLOPS_PER_WEIGHT[method] * matrices), _GUESSED_RANGE
    evaluating = length.evaluation_tokens * _EVALUATIONS_PER_RUN / _EVALUATION_SPEEDUP
    seconds = (length.tokens + evaluating) / speed
    return _START_S + low * seconds, _START_S + high * seconds
