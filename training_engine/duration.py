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
from training_engine.memory_parts import TRAINED_SHARE, Setup

# Operations per second of a training step where nothing was tried here: per core, or of the whole
# device.
_CPU_FLOPS_PER_CORE = {"bfloat16": 140e9, "float16": 20e9, "float32": 30e9}
_DEVICE_FLOPS = {"cuda": 60e12, "mps": 4e12}
# Operations per weight and token: forward, backward to the activations, gradient of the weight.
_FORWARD, _BACKWARD, _GRADIENT = 2, 2, 2
LORA_FLOPS = _FORWARD + _BACKWARD
# Of what a step of LoRA reaches on the fast path of a CPU, others reach these shares (measured).
_STOCK_LAYERS, _ENCODER, _QUANTISED, _DORA = 0.6, 0.5, 0.6, 0.75
# Bytes that the optimizer reads and writes for a number that learns, and how many per second.
_OPTIMIZER_BYTES, _CPU_BYTES_PER_S = 28, 10e9
# Start of the programs, reading the model; writing, proving and showing the result.
_START_S, _END_S = {"cpu": 6.0, "mps": 8.0, "cuda": 10.0}, 6.0
_EVALUATION_SPEEDUP = 2.2
# So often are held-out samples measured, unless that takes more than this share of the training.
_EVALUATIONS_PER_RUN, _EVALUATION_SHARE = 10, 0.25
# How far off it may be: measured with this model, tried on this host, neither.
_RANGES = {"measured": (0.85, 1.15), "tried": (0.8, 1.25), "guessed": (0.5, 2.0)}


@dataclass(frozen=True)
class Length:
    """Optimizer steps, tokens trained on over the whole run, tokens of one evaluation, how many."""

    steps: int
    tokens: int
    evaluation_tokens: int
    evaluations: int = 0


@dataclass(frozen=True)
class Seconds:
    """What is expected, and between which bounds it should lie."""

    expected: float
    low: float
    high: float


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
    every = knobs.evaluation_steps or evaluation_interval(steps, knobs.batch_size, held_out)
    evaluations = 1 + math.ceil(steps / every) if held_out else 0  # the first before any step
    tokens = round(samples * mean_tokens)
    return Length(steps, tokens, round(held_out * mean_tokens), evaluations)


def evaluation_interval(steps: int, per_step: float, held_out: float) -> int:
    """Steps between two evaluations, where nobody says how many.

    `per_step`: what a step trains on, `held_out`: what an evaluation looks at, both in samples or
    both in tokens.
    """
    affordable = held_out / (_EVALUATION_SPEEDUP * _EVALUATION_SHARE * max(per_step, 1))
    return max(1, math.ceil(max(steps / _EVALUATIONS_PER_RUN, min(affordable, steps))))


def flops_per_token(setup: Setup) -> float:
    """Operations of training on one token, by what learns and what is compared with."""
    shape = setup.shape
    share = setup.learning_layers / setup.layers
    each = _FORWARD + share * _BACKWARD
    if setup.method in (Method.FULL, Method.FREEZE):
        each += share * _GRADIENT
    if setup.knobs.gradient_checkpointing:
        each += share * _FORWARD
    if setup.objective is Objective.KTO:  # the foreign answers are looked at first
        each += _FORWARD / 2
    # Of an encoder–decoder each token passes one stack.
    return each * shape.matrices / len(shape.stacks) + _head_flops(setup)


def _head_flops(setup: Setup) -> float:
    """Operations of the head for one token: it is computed for learnt ones only."""
    if head_of(setup.objective) is Head.SEQUENCE_CLASSIFICATION:
        return 0.0
    share = 1.0 if setup.objective is Objective.PRETRAIN else TRAINED_SHARE
    each = LORA_FLOPS + (_GRADIENT if setup.method is Method.FULL else 0)
    return each * share * setup.shape.embedding


def efficiency(setup: Setup) -> float:
    """Share of the operations per second of plain LoRA that this way of training reaches."""
    if setup.device == "cuda":
        return 1.0
    found = 1.0 if setup.fast else _ENCODER if setup.shape.encoder else _STOCK_LAYERS
    if setup.method is Method.QLORA:
        found *= _QUANTISED
    if setup.adapted and setup.knobs.lora_variant is LoraVariant.DORA:
        found *= _DORA
    return found


def seconds_of(
    length: Length,
    setup: Setup,
    *,
    measured: float | None,
    host_flops: float | None,
    dtype: str,
    cores: int,
    processes: int = 1,
) -> Seconds:
    """Of a whole run. `measured`: tokens per second of earlier runs like this one.

    `host_flops`: what `speed.trial` found on this host.
    """
    if measured:
        speed, certain = measured, "measured"
    else:
        guess = _DEVICE_FLOPS.get(setup.device) or _CPU_FLOPS_PER_CORE[dtype] * max(1, cores)
        # Processes on a CPU share its cores; on GPUs each has its own.
        usable = (host_flops or guess) * (processes if setup.device == "cuda" else 1)
        speed = usable * efficiency(setup) / flops_per_token(setup)
        certain = "tried" if host_flops else "guessed"
    passes = float(length.evaluation_tokens * length.evaluations)
    if setup.objective in REFERENCED:  # once over all rows, before the first step
        passes += length.tokens / max(1.0, setup.knobs.epochs)
    seconds = (length.tokens + passes / _EVALUATION_SPEEDUP) / speed
    if setup.device != "cuda":
        seconds += length.steps * setup.trainable * _OPTIMIZER_BYTES / _CPU_BYTES_PER_S
    around, (low, high) = _START_S[setup.device] + _END_S, _RANGES[certain]
    return Seconds(around + seconds, around + low * seconds, around + high * seconds)
