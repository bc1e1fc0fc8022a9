"""What an estimate says in the end: the figures, whether they fit, and what to know about them."""

from dataclasses import dataclass, field
from typing import Literal

from training_engine.duration import Length, Seconds
from training_engine.memory_parts import Part, Setup
from training_engine.shape import ModelShape

Fit = Literal["fits", "tight", "will_not_fit", "unknown"]
Scalar = str | int | float | bool | None

_FITS_BELOW, _TIGHT_BELOW = 0.8, 1.0
# The newest, the best and the one being written.
_KEPT_CHECKPOINTS = 3


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


def told(
    setup: Setup,
    length: Length,
    seconds: Seconds,
    *,
    parts: list[Part],
    micro_batch_size: int,
    available: int | None,
    speed_is_known: bool,
) -> Estimate:
    """The estimate of a model whose sizes are known; `available`: bytes that are free."""
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


def unknown(length: Length, weights_bytes: int | None) -> Estimate:
    """The estimate of a model whose config.json does not tell its sizes."""
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
        total_steps=length.steps,
        num_tokens=length.tokens,
        time_s=None,
        time_low_s=None,
        time_high_s=None,
        fits="unknown",
        reasons=[Reason("sizes_unknown", text)],
    )
