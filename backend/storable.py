"""What can be stored and given back as it is: values from outside are checked before any use.

PostgreSQL keeps no NUL character, UTF-8 no half of a surrogate pair, and JSON neither NaN nor
infinity; Python's JSON parser lets all of them through.
"""

import math
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

MAX_DEPTH = 64
# Whole numbers beyond these are refused: no column and no other program's integer holds them.
LEAST, MOST = -(2**63), 2**63 - 1

Place = tuple[str | int, ...]


async def require_storable(request: Request) -> None:
    """For every route: raise `RequestValidationError` for what can not be kept.

    Looks at path, query and, where the route reads one, the JSON body.
    """
    errors = list(_wrong_texts("path", request.path_params.items()))
    errors += _wrong_texts("query", request.query_params.multi_items())
    # Only where the framework has read the body already: an upload must not be collected here.
    if getattr(request.scope.get("route"), "body_field", None) is not None and _is_json(request):
        errors += wrong_values(await request.json()) if await request.body() else []
    if errors:
        raise RequestValidationError(errors)


def _is_json(request: Request) -> bool:
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (
        subtype == "json" or subtype.endswith("+json")
    )


def _wrong_texts(where: str, items: Iterable[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    for name, value in items:
        if isinstance(value, str) and not is_storable(value):
            yield _error((where, name), "unstorable_text")


def wrong_values(body: Any) -> list[dict[str, Any]]:
    """What of a parsed JSON body can not be kept, in pydantic's form of errors; at most ten."""
    errors: list[dict[str, Any]] = []
    waiting: list[tuple[Place, Any]] = [(("body",), body)]
    while waiting and len(errors) < 10:
        place, value = waiting.pop()
        kind = _wrong(value, len(place))
        if kind is not None:
            errors.append(_error(place, kind))
        elif isinstance(value, dict):
            waiting += (((*place, key), part) for key, part in value.items())
        elif isinstance(value, list):
            waiting += (((*place, number), part) for number, part in enumerate(value))
    return errors


def _wrong(value: Any, depth: int) -> str | None:
    match value:
        case bool() | None:
            return None
        case str():
            return None if is_storable(value) else "unstorable_text"
        case int():
            return None if LEAST <= value <= MOST else "number_too_large"
        case float():
            return None if math.isfinite(value) else "number_not_finite"
        case dict() if not all(is_storable(key) for key in value):
            return "unstorable_text"
        case dict() | list() if depth > MAX_DEPTH:
            return "nested_too_deeply"
    return None


def is_storable(text: str) -> bool:
    """Whether `text` is without NUL and without halves of surrogate pairs."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


_MESSAGES = {
    "unstorable_text": "There is a character in this text that can not be stored; remove it.",
    "number_too_large": "This number is too large.",
    "number_not_finite": "NaN and infinity are no numbers here.",
    "nested_too_deeply": f"At most {MAX_DEPTH} values may be nested in each other.",
}


def _error(place: Place, kind: str) -> dict[str, Any]:
    # The place is shown: it must itself be without what it complains of.
    shown = tuple(p if isinstance(p, int) or is_storable(p) else "?" for p in place)
    return {"type": kind, "loc": shown, "msg": _MESSAGES[kind]}
