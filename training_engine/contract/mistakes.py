"""Mistakes in what a person wrote: all of them are told, so each has to be found beside others."""

import copy
from collections.abc import Iterable
from typing import Any

from pydantic_core import InitErrorDetails, PydanticCustomError

Place = tuple[str | int, ...]


def mistake(
    place: Place, message: str, value: Any = None, code: str = "value_error"
) -> InitErrorDetails:
    """A sentence about the value at `place`, and its code for translation."""
    kind = PydanticCustomError(code, "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=place, input=value)


def again(item: Any) -> InitErrorDetails:
    """An error of a field as it is, to be told beside others."""
    return InitErrorDetails(
        type=PydanticCustomError(item["type"], _literal(item["msg"]), item.get("ctx", {})),
        loc=item["loc"],
        input=item["input"],
    )


def _literal(message: str) -> str:
    """A message that is no template any more."""
    return message.replace("{", "").replace("}", "")


def without(values: dict[str, Any], wrong: Iterable[Place]) -> dict[str, Any]:
    """A copy of nested values without those that are wrong."""
    kept = copy.deepcopy(values)
    for place in wrong:
        owner: Any = kept
        last: tuple[dict[str, Any], str] | None = None
        for part in place:
            if not isinstance(owner, dict) or part not in owner:
                break
            last = (owner, str(part))
            owner = owner[part]
        if last is not None:
            last[0].pop(last[1])
    return kept


def touched(choices: Iterable[Place], wrong: Iterable[Place]) -> bool:
    """Whether one of the choices is wrong itself, lies in something that is, or holds it."""
    errors = list(wrong)
    return any(
        choice[: len(place)] == place[: len(choice)] for choice in choices for place in errors
    )
