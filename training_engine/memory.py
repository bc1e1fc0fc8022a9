"""What a run will need, from a model's config.json alone: memory by part, disk, steps, time.

No torch: the API process calls this while the user types. The coefficients describe this engine's
own loop (frozen bf16 weights, fp32 adapters or masters in one flat AdamW, samples packed without
padding, the head computed in chunks) and were fitted to runs of it; `tests` hold them to that.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from training_engine.contract.spec import Hyperparameters, Method
from training_engine.model_shape import ModelShape, read_shape
from training_engine.recommendation import Recommendation, recommend

__all__ = ["Estimate", "Part", "Reason", "Recommendation", "estimate", "recommend"]

Fit = Literal["fits", "tight", "will_not_fit", "unknown"]
Scalar = str | int | float | bool | None

_DTYPE_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}
# Python, torch and transformers, before any weight; on a GPU the driver's context.
_RUNTIME_BYTES = {"cpu": 480_000_000, "mps": 480_000_000, "cuda": 600_000_000}
# Usable matrix throughput in FLOP/s when no run was measured here: per core, or of the device.
_CPU_FLOPS_PER_CORE = {"bfloat16": 90e9, "float16": 20e9, "float32": 20e9}
_DEVICE_FLOPS = {"cuda": 60e12, "mps": 4e12}
# The head's chunk: as many logits as the engine holds at once, and bytes for each of them
# (logits, their fp32 copy, probabilities, the gradient).
_CHUNK_ELEMENTS = 32 * 1024 * 1024
_LOGIT_BYTES = 12
# Lengths vary: standard deviation as a share of the mean, as seen in instruction data.
_LENGTH_SPREAD = 0.6
_FITS_BELOW, _TIGHT_BELOW = 0.8, 1.0
_START_S = 12.0
_EVALUATION_SPEEDUP = 3.0
_EVALUATIONS_PER_RUN = 10
_KEPT_CHECKPOINTS = 3
_SMALL_FILES_BYTES = 8_000_000


@dataclass(frozen=True)
class Part:
    """One part of the memory: `name` is weights, adapters, optimizer, gradients, activations …"""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class Reason:
    """Why the estimate is what it is: a code to translate, a plain sentence, the numbers."""

    code: str
    message: str
    params: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """Memory in bytes on the device (on a CPU the whole process), disk in bytes, time in seconds.

    `memory_bytes` is None when the configuration does not tell the model's sizes. `exact` says
    whether `num_parameters` is counted or guessed.
    """

    num_parameters: int | None
    trainable_parameters: int | None
    exact: bool
    memory_bytes: int | None
    parts: list[Part]
    micro_batch_size: int
    checkpoint_bytes: int
    output_bytes: int
    disk_bytes: int
    total_steps: int
    num_tokens: int
    time_low_s: float | None
    time_high_s: float | None
    fits: Fit
    reasons: list[Reason]


def estimate(
    config: Mapping[str, Any],
    *,
    method: Method,
    hyperparameters: Hyperparameters,
    num_rows: int,
    mean_tokens: float,
    longest_tokens: int | None = None,
    validation_rows: int = 0,
    device: str = "cpu",
    dtype: str = "bfloat16",
    available_bytes: int | None = None,
    weights_bytes: int | None = None,
    tokens_per_s: float | None = None,
    cores: int = 2,
) -> Estimate:
    """What this run needs.

    `config`: the model's config.json. `mean_tokens`, `longest_tokens`: per row, before truncation.
    `validation_rows`: of a separate validation set. `weights_bytes`: all safetensors files,
    used where the family is unknown. `tokens_per_s`: measured on this host with this model.
    """
    knobs = hyperparameters
    shape = read_shape(config)
    mean = max(1.0, min(float(mean_tokens), float(knobs.max_length)))
    longest = min(longest_tokens or knobs.max_length, knobs.max_length)
    train_rows, evaluation_rows = _split(num_rows, validation_rows, knobs)
    steps, seen_rows = _steps(train_rows, knobs)
    num_tokens = round(seen_rows * mean)
    if shape is None:
        return _unknown(steps, num_tokens, weights_bytes)
    parameters = _parameters(shape, config, weights_bytes)
    trainable = _trainable(shape, parameters, method, knobs)
    micro, parts = _fit_micro_batch(
        shape, parameters, trainable, method, knobs, mean, longest, device, dtype, available_bytes
    )
    memory = sum(part.size_bytes for part in parts)
    checkpoint, output = _disk(parameters, trainable, method, dtype)
    low, high = _time(
        shape, method, num_tokens, evaluation_rows * mean, tokens_per_s, device, dtype, cores
    )
    fits, reasons = _judge(shape, memory, available_bytes, micro, knobs, measured=tokens_per_s)
    return Estimate(
        num_parameters=parameters,
        trainable_parameters=trainable,
        exact=shape.exact,
        memory_bytes=memory,
        parts=parts,
        micro_batch_size=micro,
        checkpoint_bytes=checkpoint,
        output_bytes=output,
        disk_bytes=_KEPT_CHECKPOINTS * checkpoint + output,
        total_steps=steps,
        num_tokens=num_tokens,
        time_low_s=low,
        time_high_s=high,
        fits=fits,
        reasons=reasons,
    )


def _split(num_rows: int, validation_rows: int, knobs: Hyperparameters) -> tuple[int, int]:
    """Rows to train on and rows to measure on."""
    if validation_rows:
        return num_rows, validation_rows
    held_out = int(num_rows * knobs.evaluation_fraction)
    return max(1, num_rows - held_out), held_out


def _steps(rows: int, knobs: Hyperparameters) -> tuple[int, float]:
    """Optimizer steps and rows seen over the whole run."""
    per_epoch = math.ceil(rows / knobs.batch_size)
    steps = math.ceil(per_epoch * knobs.epochs)
    if knobs.max_steps is not None and knobs.max_steps < steps:
        return knobs.max_steps, rows * knobs.max_steps / per_epoch
    return steps, rows * knobs.epochs


def _parameters(shape: ModelShape, config: Mapping[str, Any], weights_bytes: int | None) -> int:
    if shape.exact or not weights_bytes:
        return shape.num_parameters
    stored = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
    return weights_bytes // _DTYPE_BYTES.get(stored, 2)


def _trainable(shape: ModelShape, parameters: int, method: Method, knobs: Hyperparameters) -> int:
    if method == Method.LORA:
        return shape.lora_parameters(knobs.lora_rank, knobs.target_modules)
    return parameters


def _activation_bytes(shape: ModelShape, method: Method, rank: int, width: int) -> int:
    """Bytes kept per token and layer for the backward pass; `width` is bytes per element.

    In units of the layer: inputs of the norms and projections, queries, keys, values and attention
    output, four tensors of the feed-forward's width; the norms work in fp32.
    """
    hidden, inner = shape.hidden, shape.intermediate
    queries = shape.heads * shape.head_dim
    keys = shape.key_value_heads * shape.head_dim
    elements = 4 * hidden + 4 * queries + 4 * keys + 4 * inner
    low_rank = rank * len(shape.linears) if method == Method.LORA else 0
    norms = 2 * hidden * 4 + shape.heads * 4
    return (elements + low_rank) * width + norms


def _parts(
    shape: ModelShape,
    parameters: int,
    trainable: int,
    method: Method,
    rank: int,
    tokens: int,
    device: str,
    dtype: str,
) -> list[Part]:
    """Memory by part when `tokens` are computed at once."""
    width = _DTYPE_BYTES[dtype]
    lora = method == Method.LORA
    separate = not lora and width != 4
    masters = 4 * trainable if lora or separate else 0
    gradients = (4 + (width if separate else 0)) * trainable
    activations = tokens * shape.layers * _activation_bytes(shape, method, rank, width)
    logits = min(_CHUNK_ELEMENTS, tokens * shape.vocabulary) * _LOGIT_BYTES
    if not lora:
        logits += shape.embedding * (4 + width)
    return [
        Part("weights", parameters * width),
        Part("adapters" if lora else "masters", masters),
        Part("gradients", gradients),
        Part("optimizer", 8 * trainable),
        Part("activations", activations),
        Part("logits", logits),
        Part("runtime", _RUNTIME_BYTES.get(device, _RUNTIME_BYTES["cpu"])),
    ]


def _fit_micro_batch(
    shape: ModelShape,
    parameters: int,
    trainable: int,
    method: Method,
    knobs: Hyperparameters,
    mean: float,
    longest: int,
    device: str,
    dtype: str,
    available: int | None,
) -> tuple[int, list[Part]]:
    """Rows computed at once and the memory they need; `auto` halves until it fits."""
    micro = knobs.batch_size if knobs.micro_batch_size == "auto" else knobs.micro_batch_size
    while True:
        spread = 3 * _LENGTH_SPREAD * mean * math.sqrt(micro)
        tokens = math.ceil(min(micro * longest, micro * mean + spread))
        parts = _parts(shape, parameters, trainable, method, knobs.lora_rank, tokens, device, dtype)
        memory = sum(part.size_bytes for part in parts)
        fixed = knobs.micro_batch_size != "auto" or available is None or micro == 1
        if fixed or memory <= _FITS_BELOW * (available or 0):
            return micro, parts
        micro = math.ceil(micro / 2)


def _disk(parameters: int, trainable: int, method: Method, dtype: str) -> tuple[int, int]:
    """Bytes of one checkpoint (fp32 values and two moments) and of the output folder."""
    checkpoint = 12 * trainable + _SMALL_FILES_BYTES
    width = 4 if method == Method.LORA else _DTYPE_BYTES[dtype]
    return checkpoint, trainable * width + _SMALL_FILES_BYTES


def _time(
    shape: ModelShape,
    method: Method,
    tokens: int,
    evaluation_tokens: float,
    measured: float | None,
    device: str,
    dtype: str,
    cores: int,
) -> tuple[float, float]:
    """Seconds, from optimistic to pessimistic."""
    if measured:
        speed, low, high = measured, 0.8, 1.25
    else:
        matrices = shape.layers * sum(linear.size for linear in shape.linears) + shape.embedding
        work = (4 if method == Method.LORA else 6) * matrices
        flops = _DEVICE_FLOPS.get(device) or _CPU_FLOPS_PER_CORE[dtype] * max(1, cores)
        speed, low, high = flops / work, 0.5, 2.5
    measuring = evaluation_tokens * _EVALUATIONS_PER_RUN / (speed * _EVALUATION_SPEEDUP)
    seconds = tokens / speed + measuring
    return _START_S + low * seconds, _START_S + high * seconds


def _judge(
    shape: ModelShape,
    memory: int,
    available: int | None,
    micro: int,
    knobs: Hyperparameters,
    *,
    measured: float | None,
) -> tuple[Fit, list[Reason]]:
    reasons = []
    if not shape.exact:
        text = f"The family {shape.family or 'of this model'} is not known; sizes are approximate."
        reasons.append(Reason("approximate_sizes", text, {"family": shape.family}))
    if not measured:
        text = "No run was measured on this computer yet; the time is a rough guess."
        reasons.append(Reason("time_not_measured", text))
    if knobs.micro_batch_size == "auto" and micro < knobs.batch_size:
        text = f"{micro} rows are computed at once to fit the memory; the result is the same."
        reasons.append(Reason("micro_batch_reduced", text, {"micro_batch_size": micro}))
    if available is None:
        return "unknown", reasons
    fits: Fit = "will_not_fit"
    if memory <= _FITS_BELOW * available:
        fits = "fits"
    elif memory <= _TIGHT_BELOW * available:
        fits = "tight"
    params: dict[str, Scalar] = {"needed_bytes": memory, "available_bytes": available}
    if fits != "fits":
        text = f"About {memory / 1e9:.1f} GB are needed and {available / 1e9:.1f} GB are free."
        reasons.append(Reason(f"memory_{fits}", text, params))
    return fits, reasons


def _unknown(steps: int, tokens: int, weights_bytes: int | None) -> Estimate:
    text = "The model's config.json does not tell its sizes, so memory and time are unknown."
    return Estimate(
        num_parameters=None,
        trainable_parameters=None,
        exact=False,
        memory_bytes=None,
        parts=[],
        micro_batch_size=1,
        checkpoint_bytes=0,
        output_bytes=weights_bytes or 0,
        disk_bytes=weights_bytes or 0,
        total_steps=steps,
        num_tokens=tokens,
        time_low_s=None,
        time_high_s=None,
        fits="unknown",
        reasons=[Reason("sizes_unknown", text)],
    )
