"""What a run will need, from a model's config.json alone: memory by part, disk, steps, time.

No torch: the API process calls this while the user types. The coefficients describe this engine's
own loop (frozen bf16 weights, fp32 masters in one flat AdamW, samples packed without padding, the
head computed for trained positions in chunks) and were fitted to the peak memory of real runs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from training_engine.contract.choices import ADAPTED, Method
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.duration import length_of, seconds_of
from training_engine.limits import LOGITS_AT_ONCE, MOST_TOKENS, tokens_that_fit
from training_engine.model_shape import ModelShape, read_shape
from training_engine.recommendation import Recommendation, recommend

__all__ = ["Estimate", "Part", "Reason", "Recommendation", "estimate", "recommend"]

Fit = Literal["fits", "tight", "will_not_fit", "unknown"]
Scalar = str | int | float | bool | None

_DTYPE_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}
# Python, torch and transformers, before any weight; on a GPU the driver's context.
_RUNTIME_BYTES = {"cpu": 440_000_000, "mps": 440_000_000, "cuda": 600_000_000}
# On a CPU the kernels that oneDNN compiles, and the holes that rows of ever new lengths leave
# between the activations in the heap: as much as these, up to this bound.
_MOST_HOLES_BYTES = {"cpu": 650_000_000, "mps": 0, "cuda": 0}
# Bytes for each of the logits that are held at once: scores, their fp32 copy, the gradient and what
# the products need.
_LOGIT_BYTES = 16
# Share of a row's tokens that is learnt, where it is not known.
_TRAINED_SHARE = 0.6
# Lengths vary: standard deviation as a share of the mean, as seen in instruction data; the
# heaviest of some hundred batches lies three deviations above the mean batch.
_LENGTH_SPREAD, _HEAVIEST = 0.45, 3.0
_FITS_BELOW, _TIGHT_BELOW = 0.8, 1.0
# The newest, the best and the one being written.
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


@dataclass(frozen=True)
class _Setup:
    """What computes, in which way; `width` is bytes per element of weights and activations."""

    shape: ModelShape
    parameters: int
    trainable: int
    method: Method
    rank: int
    device: str
    width: int

    @property
    def lora(self) -> bool:
        return self.method in ADAPTED


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
    mean = max(1.0, min(float(mean_tokens), float(knobs.max_length)))
    longest = max(math.ceil(mean), min(longest_tokens or knobs.max_length, knobs.max_length))
    length = length_of(num_rows, validation_rows, mean, knobs)
    shape = read_shape(config)
    if shape is None:
        return _unknown(length.steps, length.tokens, weights_bytes)
    parameters = _parameters(shape, config, weights_bytes)
    setup = _Setup(
        shape=shape,
        parameters=parameters,
        trainable=shape.lora_parameters(knobs.lora_rank, knobs.target_modules)
        if method == Method.LORA
        else parameters,
        method=method,
        rank=knobs.lora_rank,
        device=device,
        width=_DTYPE_BYTES[dtype],
    )
    tokens, limit = _tokens_at_once(setup, knobs, mean, longest, available_bytes)
    parts = _parts(setup, tokens, min(limit, length.evaluation_tokens))
    memory = sum(part.size_bytes for part in parts)
    checkpoint, output = _disk(setup)
    low, high = seconds_of(
        length, shape, method, measured=tokens_per_s, device=device, dtype=dtype, cores=cores
    )
    fits, reasons = _judge(shape, memory, available_bytes, measured=bool(tokens_per_s))
    return Estimate(
        num_parameters=parameters,
        trainable_parameters=setup.trainable,
        exact=shape.exact,
        memory_bytes=memory,
        parts=parts,
        micro_batch_size=max(1, min(knobs.batch_size, math.floor(tokens / mean))),
        checkpoint_bytes=checkpoint,
        output_bytes=output,
        disk_bytes=_KEPT_CHECKPOINTS * checkpoint + output,
        total_steps=length.steps,
        num_tokens=length.tokens,
        time_low_s=low,
        time_high_s=high,
        fits=fits,
        reasons=reasons,
    )


def _parameters(shape: ModelShape, config: Mapping[str, Any], weights_bytes: int | None) -> int:
    """Counted where the family is known, else from the size of the files."""
    if shape.exact or not weights_bytes:
        return shape.num_parameters
    stored = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
    return weights_bytes // _DTYPE_BYTES.get(stored, 2)


def _tokens_at_once(
    setup: _Setup, knobs: Hyperparameters, mean: float, longest: int, available: int | None
) -> tuple[int, int]:
    """Tokens of the heaviest forward pass, and the most the engine lays into one."""
    samples, shape = knobs.batch_size, setup.shape
    if knobs.micro_batch_size != "auto":
        samples = knobs.micro_batch_size
        limit = samples * longest
    elif available is None:
        limit = MOST_TOKENS[setup.device]
    else:
        limit = tokens_that_fit(
            setup.device,
            available,
            layers=shape.layers,
            hidden=shape.hidden,
            inner=shape.intermediate,
        )
    spread = _HEAVIEST * _LENGTH_SPREAD * mean * math.sqrt(samples)
    heaviest = math.ceil(min(samples * longest, samples * mean + spread))
    # A sample is never cut for the sake of the limit.
    return max(longest, min(heaviest, limit)) if samples > 1 else longest, limit


def _parts(setup: _Setup, tokens: int, evaluation_tokens: int) -> list[Part]:
    """Memory by part when `tokens` are computed at once."""
    shape, width, trainable = setup.shape, setup.width, setup.trainable
    # Masters in fp32, and what the model computes with where that is another type.
    working = width if width != 4 and setup.lora else 0
    masters = (4 + working) * trainable if setup.lora or width != 4 else 0
    trained = math.ceil(tokens * _TRAINED_SHARE)
    logits = min(LOGITS_AT_ONCE[setup.device], trained * shape.vocabulary) * _LOGIT_BYTES
    if not setup.lora:
        logits += shape.embedding * (4 + width)  # the head's own gradient
    activations = max(
        tokens * shape.layers * _kept_bytes(setup), evaluation_tokens * _passing_bytes(setup)
    )
    holes = min(_MOST_HOLES_BYTES[setup.device], activations)
    return [
        Part("weights", setup.parameters * width),
        Part("adapters" if setup.lora else "masters", masters),
        Part("gradients", 4 * trainable),
        Part("optimizer", 8 * trainable),
        Part("activations", activations),
        Part("logits", logits),
        Part("runtime", _RUNTIME_BYTES[setup.device] + holes),
    ]


def _kept_bytes(setup: _Setup) -> int:
    """Bytes per token and layer that wait for the backward pass.

    What the norms give, queries, keys, values and attention's output, four tensors as wide as the
    feed-forward. The norms keep their input in fp32, which beside a narrower type is a copy. Their
    bytes per element are fitted.
    """
    shape = setup.shape
    queries, keys = shape.heads * shape.head_dim, shape.key_value_heads * shape.head_dim
    elements = 2 * (shape.hidden + queries + keys) + 4 * shape.intermediate
    low_rank = setup.rank * len(shape.linears) if setup.lora else 0
    norms = (26 if setup.width == 4 else 11) * shape.hidden
    return (elements + low_rank) * setup.width + norms


def _passing_bytes(setup: _Setup) -> int:
    """Bytes per token while one layer is computed and nothing is kept (evaluation)."""
    shape = setup.shape
    return (6 * shape.hidden + 4 * shape.intermediate) * setup.width + 2 * shape.hidden * 4


def _disk(setup: _Setup) -> tuple[int, int]:
    """Bytes of one checkpoint (fp32 values and two moments) and of the output folder."""
    checkpoint = 12 * setup.trainable + _SMALL_FILES_BYTES
    return checkpoint, setup.trainable * (4 if setup.lora else setup.width) + _SMALL_FILES_BYTES


def _judge(
    shape: ModelShape, memory: int, available: int | None, *, measured: bool
) -> tuple[Fit, list[Reason]]:
    """Whether it fits, and what the user should know about the numbers."""
    reasons = []
    if not shape.exact:
        text = f"The family {shape.family or 'of this model'} is not known; sizes are approximate."
        reasons.append(Reason("approximate_sizes", text, {"family": shape.family}))
    if not measured:
        text = "No run was measured on this computer yet; the time is a rough guess."
        reasons.append(Reason("time_not_measured", text))
    if available is None:
        return "unknown", reasons
    if memory <= _FITS_BELOW * available:
        return "fits", reasons
    fits: Fit = "tight" if memory <= _TIGHT_BELOW * available else "will_not_fit"
    text = f"About {memory / 1e9:.1f} GB are needed and {available / 1e9:.1f} GB are free."
    params: dict[str, Scalar] = {"needed_bytes": memory, "available_bytes": available}
    reasons.append(Reason(f"memory_{fits}", text, params))
    return fits, reasons


def _unknown(steps: int, tokens: int, weights_bytes: int | None) -> Estimate:
    text = "The model's config.json does not tell its sizes, so memory and time are unknown."
    size = weights_bytes or 0
    return Estimate(
        num_parameters=None,
        trainable_parameters=None,
        exact=False,
        memory_bytes=None,
        parts=[],
        micro_batch_size=1,
        checkpoint_bytes=0,
        output_bytes=size,
        disk_bytes=size,
        total_steps=steps,
        num_tokens=tokens,
        time_low_s=None,
        time_high_s=None,
        fits="unknown",
        reasons=[Reason("sizes_unknown", text)],
    )
