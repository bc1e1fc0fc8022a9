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
# Narrow products are slower: those of adapters count half as much again (fitted).
_ADAPTER_FLOPS = 1.5 * (LORA_FLOPS + _GRADIENT)
# Attention's products are computed once forward and two and a half times backward.
_ATTENTION_BACKWARD = 2.5
# Shares of a trial's operations per second that real runs reach on a CPU (measured): kernels of our
# own, stock layers by the bytes of their numbers, small encoders; with dropout, with DoRA's lengths
# of all columns, with a packed base, and when all weights learn. Then forward passes.
_FAST, _STOCK, _ENCODER = 0.92, {2: 0.8, 4: 0.9}, 0.68
_DROPOUT, _DORA, _PACKED, _FULL = 0.7, 0.8, 0.85, 0.86
_FORWARD_ONLY, _FORWARD_ENCODER = 1.05, 0.5
# Bytes that the optimizer reads and writes for a number that learns, and how many per second; and
# of weights that an answer reads for every token.
_OPTIMIZER_BYTES, _OPTIMIZER_BYTES_PER_S, _CPU_BYTES_PER_S = 28, 20e9, 10e9
# Start of the programs; writing and proving the result; the model is read twice. A CPU takes its
# time to pack a base, twice too.
_START_S, _END_S, _READ_BYTES_PER_S = {"cpu": 5.5, "mps": 8.0, "cuda": 10.0}, 1.5, 0.5e9
_PACKED_BYTES_PER_S = 0.1e9
# Of a number that learns a checkpoint holds its value and two means, written and proved so fast.
_SAVED_BYTES, _SAVED_BYTES_PER_S = 12, 0.4e9
_SAVED_PER_RUN = 10
# Answers to held-out prompts: so many tokens, of which each takes the weights and this per layer,
# or so many times what a trial's layer took. A result that scores is proved with as many small
# passes.
_ANSWER_TOKENS, _SCORED_PASSES, _LAYER_S, _LAYER_TIMES = 64, 48, 1.7e-3, 1.25
# So often are held-out samples measured, unless that takes more than this share of the training,
# a token looked at taking this part of one trained on.
_EVALUATIONS_PER_RUN, _EVALUATION_SHARE, _EVALUATION_SPEEDUP = 10, 0.25, 2.5
# How far off it may be: measured with this model, tried on this host, neither.
_RANGES = {"measured": (0.85, 1.15), "tried": (0.8, 1.25), "guessed": (0.5, 2.0)}


@dataclass(frozen=True)
class Length:
    """Optimizer steps, tokens trained on over the whole run, tokens of one evaluation, how many.

    `different_tokens`: of all samples that are seen, each counted once.

    `sequence`: tokens of one sequence in the mean. `answers`: how often held-out prompts are
    answered. `saves`: how many checkpoints, when every evaluation finds the model improved.
    """

    steps: int
    tokens: int
    evaluation_tokens: int
    evaluations: int
    sequence: float
    answers: int
    saves: int
    different_tokens: int


@dataclass(frozen=True)
class Seconds:
    """What is expected, and between which bounds it should lie."""

    expected: float
    low: float
    high: float


def length_of(
    num_rows: int,
    validation_rows: int,
    mean_tokens: float,
    knobs: Hyperparameters,
    sequences: int = 1,
) -> Length:
    """`validation_rows`: of a separate set; without one, a share of the rows is held out.

    `mean_tokens`: of a row, which is as many `sequences`.
    """
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
    saves = math.ceil(steps / (knobs.save_steps or saving_interval(steps)))
    answers = (1 + (steps - 1) // (knobs.sample_steps or steps)) if held_out else 0
    return Length(
        steps=steps,
        tokens=round(samples * mean_tokens),
        evaluation_tokens=round(held_out * mean_tokens),
        evaluations=evaluations,
        sequence=mean_tokens / sequences,
        answers=answers,
        saves=max(saves, evaluations - 1),
        different_tokens=round((min(samples, train_rows) + held_out) * mean_tokens),
    )


def evaluation_interval(steps: int, per_step: float, held_out: float) -> int:
    """Steps between two evaluations, where nobody says how many.

    `per_step`: what a step trains on, `held_out`: what an evaluation looks at, both in samples or
    both in tokens.
    """
    affordable = held_out / (_EVALUATION_SPEEDUP * _EVALUATION_SHARE * max(per_step, 1))
    return max(1, math.ceil(max(steps / _EVALUATIONS_PER_RUN, min(affordable, steps))))


def saving_interval(steps: int) -> int:
    """Steps between two checkpoints, where nobody says how many: a tenth is lost at most."""
    return math.ceil(steps / _SAVED_PER_RUN)


def flops_per_token(setup: Setup, sequence: float) -> float:
    """Operations of training on one token, by what learns and what is compared with.

    `sequence`: tokens of a sequence, all of which attention looks at.
    """
    shape = setup.shape
    share = setup.learning_layers / setup.layers
    again = share if setup.knobs.gradient_checkpointing else 0.0
    each = _FORWARD * (1 + again) + share * _BACKWARD
    if setup.method in (Method.FULL, Method.FREEZE):
        each += share * _GRADIENT
    if setup.objective is Objective.KTO:  # the foreign answers are looked at first
        each += _FORWARD / 2
    looks = 1 + again + share * _ATTENTION_BACKWARD
    # Of an encoder–decoder each token passes one stack.
    weights = each * shape.matrices / len(shape.stacks)
    if setup.adapted:
        weights += _ADAPTER_FLOPS * setup.trainable / len(shape.stacks)
    return weights + looks * _attention_flops(setup, sequence) + _head_flops(setup)


def _forward_flops(setup: Setup, sequence: float) -> float:
    """Operations of looking at one token."""
    shape = setup.shape
    head = _head_flops(setup) * _FORWARD / _per_head_weight(setup)
    return _FORWARD * shape.matrices / len(shape.stacks) + _attention_flops(setup, sequence) + head


def _attention_flops(setup: Setup, sequence: float) -> float:
    """Operations of one token's scores and of the sum that they weigh, over all layers."""
    shape = setup.shape
    keys = sequence if shape.encoder else sequence / 2  # a decoder's tokens see those before them
    return 2 * _FORWARD * keys * shape.heads * shape.head_dim * shape.layers


def _head_flops(setup: Setup) -> float:
    """Operations of the head for one token: it is computed for learnt ones only."""
    if head_of(setup.objective) is Head.SEQUENCE_CLASSIFICATION:
        return 0.0
    share = 1.0 if setup.objective is Objective.PRETRAIN else TRAINED_SHARE
    return _per_head_weight(setup) * share * setup.shape.embedding


def _per_head_weight(setup: Setup) -> int:
    return LORA_FLOPS + (_GRADIENT if setup.method is Method.FULL else 0)


def efficiency(setup: Setup) -> float:
    """Share of a trial's operations per second that this way of training reaches."""
    if setup.device == "cuda":
        return 1.0
    found = _FAST if setup.fast else _ENCODER if setup.shape.encoder else _STOCK[setup.width]
    if setup.method is Method.FREEZE and not setup.shape.encoder:
        found = _FORWARD_ONLY  # that is most of it
    if setup.adapted and setup.knobs.lora_dropout:
        found *= _DROPOUT
    if setup.adapted and setup.knobs.lora_variant is LoraVariant.DORA:
        found *= _DORA
    if setup.method is Method.QLORA:
        found *= _PACKED
    return found * (_FULL if setup.method is Method.FULL else 1.0)


def flops_shown(
    setup: Setup, tokens_per_s: float, sequence: float, step_tokens: float, share: float
) -> float:
    """What a trial would find on a host that has trained so fast, in this way.

    Of `step_tokens` a `share` is computed; the optimizer's part of a step is known.
    """
    step = step_tokens / tokens_per_s
    computing = max(step - _optimizer_s(setup), step / 2)
    return share * step_tokens * flops_per_token(setup, sequence) / efficiency(setup) / computing


def seconds_of(
    length: Length,
    setup: Setup,
    *,
    share: float,
    measured_flops: float | None,
    host_flops: float | None,
    host_layer_s: float | None,
    dtype: str,
    cores: int,
    processes: int = 1,
) -> Seconds:
    """Of a whole run. `share` of its tokens are computed, the others stand in front of several.

    `measured_flops`: what earlier runs like this one have shown.
    `host_flops`, `host_layer_s`: what `speed.trial` found on this host.
    """
    guess = _DEVICE_FLOPS.get(setup.device) or _CPU_FLOPS_PER_CORE[dtype] * max(1, cores)
    # Processes on a CPU share its cores; on GPUs each has its own.
    flops = (host_flops or guess) * (processes if setup.device == "cuda" else 1)
    certain = "tried" if host_flops else "guessed"
    if measured_flops:
        flops, certain = measured_flops, "measured"
    learning = flops_per_token(setup, length.sequence) / efficiency(setup)
    looking = _forward_flops(setup, length.sequence)
    if setup.device != "cuda":
        looking /= _FORWARD_ENCODER if setup.shape.encoder else _FORWARD_ONLY
    looks = float(length.evaluation_tokens * length.evaluations)
    if setup.objective in REFERENCED:  # before the first step
        looks += length.different_tokens
    seconds = share * (length.tokens * learning + looks * looking) / flops
    seconds += length.steps * _optimizer_s(setup)
    layer_s = _LAYER_TIMES * host_layer_s if host_layer_s else _LAYER_S
    around, (low, high) = _around(length, setup, layer_s), _RANGES[certain]
    return Seconds(around + seconds, around + low * seconds, around + high * seconds)


def _optimizer_s(setup: Setup) -> float:
    """Seconds of a step in which the optimizer moves what learns; a GPU's do not count."""
    if setup.device == "cuda":
        return 0.0
    return setup.trainable * _OPTIMIZER_BYTES / _OPTIMIZER_BYTES_PER_S


def _around(length: Length, setup: Setup, layer_s: float) -> float:
    """Seconds in which nothing is learnt: start, reading the model, result, answers.

    `layer_s`: of one token. Half of start and end is the interpreter's time, as all of that is.
    """
    host = setup.device != "cuda"
    found = (_START_S[setup.device] + _END_S) * (1 + layer_s / _LAYER_S) / 2
    found += 2 * setup.weights_bytes / _READ_BYTES_PER_S
    if host and setup.method is Method.QLORA:
        found += 2 * setup.parameters * setup.width / _PACKED_BYTES_PER_S
    found += length.saves * setup.trainable * _SAVED_BYTES / _SAVED_BYTES_PER_S
    passes = _SCORED_PASSES if setup.scored else length.answers * _ANSWER_TOKENS
    reading = setup.weights_bytes / _CPU_BYTES_PER_S if host else 0.0
    return found + passes * (setup.layers * layer_s + reading)
