"""The knobs of a run, a file for each question they answer.

A knob is one field: default, range, unit and help stand here once and reach the browser through
the OpenAPI schema, together with the hints of `knob`.
"""

from collections.abc import Iterable
from typing import Any, Literal

from training_engine.contract.choices import ADAPTED, Method, Objective

Group = Literal["basic", "advanced"]


def knob(
    group: Group,
    *,
    unit: str | None = None,
    methods: Iterable[Method] = (),
    objectives: Iterable[Objective] = (),
    variants: Iterable[str] = (),
) -> dict[str, Any]:
    """Hints for the form: group, unit, and the choices for which the field matters (none: all).

    A run that sets a field for which it does not matter says so (`idle_knobs.py`).
    """
    hints: dict[str, Any] = {"x-group": group}
    if unit:
        hints["x-unit"] = unit
    for name, given in (("methods", methods), ("objectives", objectives), ("variants", variants)):
        if chosen := sorted(given):
            hints[f"x-{name}"] = [str(each) for each in chosen]
    return hints


LORA_METHODS = ADAPTED
