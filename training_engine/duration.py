"""How many steps, tokens and seconds a run has, as `plan.py` will settle it. No torch."""

import math
from dataclasses import dataclass

from training_engine.contract.choices import (
    REFERENCED,
    Head,
    LoraVariant,
    Method,
    Objective,
    head_of,
)
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.memory_parts import Setup

# Usable matrix throughput in FLOP/s where no run was measured: per core, or of the whole device.
_CPU_FLOPS_PER_CORE = {"bfloat16": 90e9, "float16": 20e9, "float32": 20e9}
_DEVICE_FLOPS = {"cuda": 60e12, "mps": 4e12}
# Operations per weight and token: forward, backward to the activations, gradient of the weight.
_FORWARD, _BACKWARD, _GRADIENT = 2, 2, 2
# Unpacking quantised weights twice, and DoRA's norm of every matrix at every step.
_QUANTISED, _DORA = 1.3, 1.3
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


def flops_per_token(setup: Setup) -> float:
    """Operations of training on one token, by what learns and what is compared with."""
    shape = setup.shape
    head = 0 if head_of(setup.objective) is Head.SEQUENCE_CLASSIFICATION else shape.embedding
    # Of an encoder–decoder each token passes one stack.
    matrices = shape.matrices / len(shape.stacks) + head
    share = setup.learning_layers / setup.layers
    each = _FORWARD + share * _BACKWARD
    if setup.method in (Method.FULL, Method.FREEZE):
        each += share * _GRADIENT
    if setup.knobs.gradient_checkpointing:
        each += share * _FORWARD
    if setup.objective is Objective.KTO:  # the foreign answers are looked at first
        each += _FORWARD / 2
    if setup.method is Method.QLORA:
        each *= _QUANTISED
    if setup.adapted and setup.knobs.lora_variant is LoraVariant.DORA:
        each *= _DORA
    return each * matrices


def seconds_of(
    length: Length,
    setup: Setup,
    *,
    measured: float | None,
    dtype: str,
    cores: int,
    processes: int = 1,
) -> tuple[float, float]:
    """Optimistic and pessimistic; `measured` is tokens per second of an earlier run here."""
    flops = flops_per_token(setup)
    if measured:
        speed, (low, high) = measured, _MEASURED_RANGE
    else:
        usable = _DEVICE_FLOPS.get(setup.device) or _CPU_FLOPS_PER_CORE[dtype] * max(1, cores)
        # Processes on a CPU share its cores; on GPUs each has its own.
        usable *= processes if setup.device == "cuda" else 1
        speed, (low, high) = usable / flops, _GUESSED_RANGE
    passes = float(length.evaluation_tokens * _EVALUATIONS_PER_RUN)
    if setup.objective in REFERENCED:  # once over all rows, before the first step
        passes += length.tokens / max(1.0, setup.knobs.epochs)
    seconds = (length.tokens + passes / _EVALUATION_SPEEDUP) / speed
    return _START_S + low * seconds, _START_S + high * seconds
