"""What steps would make of a version, asked of the reading process."""

from collections.abc import Sequence

from backend.datasets import pages
from backend.datasets.prepare_schemas import (
    FilterStep,
    MapStep,
    Step,
)
from backend.datasets.preparing.asked import Asked, BadExpression
from backend.datasets.preview_schemas import PreparedRow, PreparePreview, StepOutlook
from backend.datasets.reading.desk import ReadingDesk
from backend.errors import FieldError, Refused


class PreviewTooSlow(Refused):
    """Trying these steps out takes too long. Make fewer or simpler ones, or prepare without it."""


class CanNotBePrepared(Refused):
    """The steps can not be done with these rows."""


def expressions(steps: Sequence[Step]) -> list[tuple[int, str, str, str | None]]:
    """Number of the step, JSON pointer, expression and replacement of each expression."""
    found: list[tuple[int, str, str, str | None]] = []
    for number, step in enumerate(steps):
        if isinstance(step, FilterStep):
            for place, condition in enumerate(step.conditions):
                if condition.op == "matches":
                    pointer = f"/steps/{number}/conditions/{place}/value"
                    found.append((number, pointer, str(condition.value), None))
        elif isinstance(step, MapStep):
            for place, change in enumerate(step.changes):
                if change.kind == "replace" and change.regex:
                    pointer = f"/steps/{number}/changes/{place}/find"
                    found.append((number, pointer, change.find, change.replacement))
    return found


async def require_expressions(desk: ReadingDesk, steps: Sequence[Step]) -> None:
    """Raise `BadExpression` for what the engine that will run it does not take."""
    asked = expressions(steps)
    if not asked:
        return
    reasons = await desk.wrong_expressions([[find, put] for _, _, find, put in asked])
    for (number, pointer, _, _), reason in zip(asked, reasons, strict=True):
        if reason is not None:
            error = FieldError(pointer=pointer, code="bad_expression", message=reason)
            params: dict[str, str | int] = {"step": number + 1, "reason": reason}
            raise BadExpression(params=params, errors=[error])


async def preview(desk: ReadingDesk, asked: Asked) -> PreparePreview:
    """Raises `PreviewTooSlow`, and `CanNotBePrepared` for what can not be done with these rows."""
    found = await desk.prepare_preview(
        base=asked.base.as_json(),
        record_type=asked.record_type,
        steps=asked.steps_as_json(),
        step_sources=[[each.as_json() for each in rows] for rows in asked.sources],
    )
    if found.get("too_slow"):
        raise PreviewTooSlow
    if "refused" in found:
        raise CanNotBePrepared(found["message"], params=found["refused"])
    return PreparePreview(
        num_rows=asked.base.num_rows,
        tried_rows=found["tried_rows"],
        exact=found["exact"],
        steps=[
            StepOutlook(**facts, record_type=kind)
            for facts, kind in zip(found["steps"], asked.types, strict=True)
        ],
        splits=found["splits"],
        items=[_shown(each) for each in found["items"]],
        removed=[pages.record_of(each) for each in found["removed"]],
    )


def _shown(row: dict[str, object]) -> PreparedRow:
    after = pages.record_of({**row, "record": row["after"]})
    before = row["before"] and pages.record_of({**row, **row["before"]}).record  # type: ignore[dict-item]
    return PreparedRow(
        index=row["index"],
        origin=row["origin"],
        line=row["line"],
        split=row["split"],
        before=before,
        after=after.record,
    )
