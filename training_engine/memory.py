"""What a run will need, from a model's config.json alone: memory by part, disk, steps, time.

No torch: the API process calls this while the user types.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from training_engine import duration
from training_engine.contract.choices import Method, Objective, Strategy
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.spec import Distributed
from training_engine.duration import Length, Seconds, length_of, seconds_of
from training_engine.limits import MOST_TOKENS, SHORTEST_BEGINNING, tokens_that_fit
from training_engine.memory_parts import Part, Setup, sequences_of
from training_engine.model_shape import ModelShape, read_shape
from training_engine.recommendation import Recommendation, recommend

__all__ = [
    "SHORTEST_BEGINNING",
    "Computed",
    "Estimate",
    "Part",
    "Reason",
    "Recommendation",
    "estimate",
    "flops_shown",
    "recommend",
]

Fit = Literal["fits", "tight", "will_not_fit", "unknown"]
Scalar = str | int | float | bool | None

_DTYPE_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}
# Lengths vary: standard deviation as a share of the mean, as seen in instruction data, where it is
# not known. The heaviest of n batches lies √(2 ln n) deviations above the mean batch, within these.
_LENGTH_SPREAD, _HEAVIEST = 0.45, (1.0, 3.0)
# A step's samples come each from a class of its own, of equal lengths about: their deviations are a
# fraction of what all lengths deviate, this one divided by the samples of a step.
_WITHIN_CLASSES = 2.0
_FITS_BELOW, _TIGHT_BELOW = 0.8, 1.0
# The newest, the best and the one being written.
_KEPT_CHECKPOINTS = 3
# Parts that several processes cut among them instead of each having its own.
_SHARDED = frozenset({"weights", "adapters", "masters", "gradients", "optimizer"})


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
    time_s: float | None
    time_low_s: float | None
    time_high_s: float | None
    fits: Fit
    reasons: list[Reason]


# Share of the tokens that is left, 0–1, when so many samples lie in a pass and what they begin with
# alike is computed once.
Computed = Callable[[int], float]


def estimate(
    config: Mapping[str, Any],
    *,
    method: Method,
    hyperparameters: Hyperparameters,
    num_rows: int,
    mean_tokens: float,
    longest_tokens: int | None = None,
    spread_tokens: float | None = None,
    validation_rows: int = 0,
    device: str = "cpu",
    dtype: str = "bfloat16",
    available_bytes: int | None = None,
    weights_bytes: int | None = None,
    measured_flops: float | None = None,
    host_flops: float | None = None,
    cores: int = 2,
    objective: Objective = Objective.SFT,
    distributed: Distributed = Distributed(),
    computed: Computed | None = None,
) -> Estimate:
    """What this run needs, of this computer or of each of its GPUs.

    `config`: the model's config.json. `mean_tokens`, `longest_tokens`: per row, before truncation
    (per answer where a row has two); `spread_tokens`: their standard deviation. `validation_rows`:
    of a separate validation set. `weights_bytes`: all safetensors files, used where the family is
    unknown. `measured_flops`: of `flops_shown`; `host_flops`: of `speed.trial` on this host.
    `computed`: see `Computed`.
    """
    knobs, sequences = hyperparameters, sequences_of(objective)
    mean = max(1.0, min(float(mean_tokens), float(knobs.max_length)))
    longest = max(math.ceil(mean), min(longest_tokens or knobs.max_length, knobs.max_length))
    mean, longest = sequences * mean, sequences * longest
    spread = _LENGTH_SPREAD * mean if spread_tokens is None else sequences * spread_tokens
    length = length_of(num_rows, validation_rows, mean, knobs, sequences)
    setup = _setup(config, objective, method, knobs, device, dtype, weights_bytes)
    if setup is None:
        return _unknown(length.steps, length.tokens, weights_bytes)
    samples = math.ceil(knobs.batch_size / distributed.processes)
    deviations = min(max(math.sqrt(2 * math.log(length.steps)), _HEAVIEST[0]), _HEAVIEST[1])
    limit = _limit(setup, samples, longest, available_bytes)
    share = _share(setup, computed, samples, mean, limit)
    heaviest = _heaviest(setup, samples, mean, longest, deviations * spread)
    tokens = max(longest, min(math.ceil(share * heaviest), limit))
    parts = setup.parts(tokens, min(limit, length.evaluation_tokens), available_bytes)
    seconds = seconds_of(
        length,
        setup,
        share=share,
        measured_flops=measured_flops,
        host_flops=host_flops,
        dtype=dtype,
        cores=cores,
        processes=distributed.processes,
    )
    return _told(
        setup,
        length,
        seconds,
        parts=[_of_all_processes(part, device, distributed) for part in parts],
        micro_batch_size=max(1, min(samples, math.floor(tokens / mean))),
        available=available_bytes,
        speed_is_known=bool(measured_flops or host_flops),
    )


def _told(
    setup: Setup,
    length: Length,
    seconds: Seconds,
    *,
    parts: list[Part],
    micro_batch_size: int,
    available: int | None,
    speed_is_known: bool,
) -> Estimate:
    memory = sum(part.size_bytes for part in parts)
    checkpoint, output = setup.disk()
    fits, reasons = _judge(setup.shape, memory, available, measured=speed_is_known)
    return Estimate(
        num_parameters=setup.parameters,
        trainable_parameters=setup.trainable,
        exact=setup.shape.exact,
        memory_bytes=memory,
        parts=parts,
        micro_batch_size=micro_batch_size,
        checkpoint_bytes=checkpoint,
        output_bytes=output,
        disk_bytes=_KEPT_CHECKPOINTS * checkpoint + output,
        total_steps=length.steps,
        num_tokens=length.tokens,
        time_s=seconds.expected,
        time_low_s=seconds.low,
        time_high_s=seconds.high,
        fits=fits,
        reasons=reasons,
    )


def flops_shown(
    config: Mapping[str, Any],
    *,
    tokens_per_s: float,
    objective: Objective,
    method: Method,
    hyperparameters: Hyperparameters,
    mean_tokens: float,
    device: str,
    dtype: str,
    computed: Computed | None = None,
) -> float | None:
    """Operations per second that a trial would find on a host where a run was so fast.

    So a run tells of others of the same model that learn in another way. `mean_tokens`: of a
    sequence. None when the configuration does not tell the model's sizes.
    """
    setup = _setup(config, objective, method, hyperparameters, device, dtype, None)
    if setup is None:
        return None
    sequence = min(mean_tokens, hyperparameters.max_length)
    mean, samples = sequence * sequences_of(objective), hyperparameters.batch_size
    limit = _limit(setup, samples, math.ceil(mean), None)
    share = _share(setup, computed, samples, mean, limit)
    return duration.flops_shown(setup, share * tokens_per_s, sequence)


def _setup(
    config: Mapping[str, Any],
    objective: Objective,
    method: Method,
    knobs: Hyperparameters,
    device: str,
    dtype: str,
    weights_bytes: int | None,
) -> Setup | None:
    """None when the configuration does not tell the model's sizes."""
    shape = read_shape(config)
    if shape is None:
        return None
    return Setup(
        shape=shape,
        parameters=_parameters(shape, config, weights_bytes),
        objective=objective,
        method=method,
        knobs=knobs,
        device=device,
        width=_DTYPE_BYTES[dtype],
    )


def _parameters(shape: ModelShape, config: Mapping[str, Any], weights_bytes: int | None) -> int:
    """Counted where the family is known, else from the size of the files."""
    if shape.exact or not weights_bytes:
        return shape.num_parameters
    stored = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
    return weights_bytes // _DTYPE_BYTES.get(stored, 2)


def _limit(setup: Setup, samples: int, longest: int, available: int | None) -> int:
    """The most tokens that the engine lays into one forward pass; `samples`: of a step."""
    shape, micro = setup.shape, setup.knobs.micro_batch_size
    if micro != "auto":
        return min(samples, micro) * longest
    if available is None:
        return MOST_TOKENS[setup.device]
    return tokens_that_fit(
        setup.device,
        available,
        layers=shape.layers,
        hidden=shape.hidden,
        inner=shape.intermediate,
    )


def _share(setup: Setup, computed: Computed | None, samples: int, mean: float, limit: int) -> float:
    """Share of the tokens that are computed, of samples in passes of up to `limit` tokens."""
    if computed is None or not setup.shares:
        return 1.0
    micro = setup.knobs.micro_batch_size
    most = samples if micro == "auto" else min(samples, micro)
    return computed(max(1, min(most, int(limit / mean))))


def _heaviest(setup: Setup, samples: int, mean: float, longest: int, above: float) -> int:
    """Tokens of the heaviest step or micro-batch; `above`: by how much longer its samples are than
    the mean, if they were taken at random.
    """
    micro = setup.knobs.micro_batch_size
    if micro == "auto":
        more = _WITHIN_CLASSES * above / math.sqrt(samples)
    else:
        samples = min(samples, micro)
        more = above * math.sqrt(samples)
    return math.ceil(min(samples * longest, samples * mean + more))


def _of_all_processes(part: Part, device: str, distributed: Distributed) -> Part:
    """What a part takes of the computer's memory, or of each GPU."""
    size, processes = part.size_bytes, distributed.processes
    if distributed.strategy is Strategy.FSDP and part.name in _SHARDED:
        size = math.ceil(size / processes)
    return Part(part.name, size if device == "cuda" else size * processes)


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
        time_s=None,
        time_low_s=None,
        time_high_s=None,
        fits="unknown",
        reasons=[Reason("sizes_unknown", text)],
    )
