"""Knobs that were set and do nothing in a run, by the hints that the form shows them by."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from training_engine.contract.choices import (
    Head,
    LabelKind,
    Objective,
    OutputCheckpoint,
    head_of,
)
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.spec import RunSpec

# What hints can not say: beside these choices a knob does nothing.
_IDLE_BESIDE: dict[str, Callable[[RunSpec, LabelKind], bool]] = {
    # Nobody who gives a set of its own and holds nothing out beside it wants anything else.
    "evaluation_fraction": lambda spec, _: (
        spec.validation_dataset is not None and spec.hyperparameters.evaluation_fraction > 0
    ),
    "label_smoothing": lambda spec, kind: (
        spec.objective is Objective.CLASSIFY and kind is LabelKind.REGRESSION
    ),
    # Then decoders are computed one by one.
    "micro_batch_size": lambda spec, _: (
        not spec.hyperparameters.packing and head_of(spec.objective) is Head.CAUSAL_LM
    ),
}
# These measure, answer or choose with held-out rows, but for a value that asks nothing of them.
_WITH_HELD_OUT = {
    "sample_steps": None,
    "early_stopping_patience": None,
    "output_checkpoint": OutputCheckpoint.LAST,
}


def idle_knobs(spec: RunSpec, label_kind: LabelKind) -> list[str]:
    """Names of knobs away from their defaults that do not matter for such a run.

    `label_kind`: as it was read from the rows, where the spec leaves that to them.
    """
    return [
        name for name in _set_ones(spec.hyperparameters) if not _matters(name, spec, label_kind)
    ]


def waiting_knobs(spec: RunSpec) -> list[str]:
    """Names of knobs away from their defaults that do nothing when no rows are held out."""
    knobs = spec.hyperparameters
    return [
        name
        for name in _set_ones(knobs)
        if name in _WITH_HELD_OUT
        and getattr(knobs, name) != _WITH_HELD_OUT[name]
        and _matters(name, spec, knobs.label_kind)
    ]


def _set_ones(knobs: Hyperparameters) -> list[str]:
    """A default was chosen by nobody, though a form sends it along."""
    fields = type(knobs).model_fields.items()
    return [name for name, field in fields if getattr(knobs, name) != field.default]


def _matters(name: str, spec: RunSpec, label_kind: LabelKind) -> bool:
    hints: Any = Hyperparameters.model_fields[name].json_schema_extra or {}
    values = vars(spec.hyperparameters).values()
    among: dict[str, set[str]] = {
        "x-methods": {spec.method},
        "x-objectives": {spec.objective},
        "x-variants": {value for value in values if isinstance(value, StrEnum)},
    }
    if any(hint in hints and chosen.isdisjoint(hints[hint]) for hint, chosen in among.items()):
        return False
    idle = _IDLE_BESIDE.get(name)
    return idle is None or not idle(spec, label_kind)
