"""JSON without mercy: what Python's parsers accept silently is an error here.

Duplicate keys (the last one would win), NaN and Infinity, halves of surrogate pairs, numbers that
do not fit 64 bits, and nesting beyond `MAX_DEPTH`.
"""

import json
import math
import re
from typing import Any

import orjson

from backend.datasets.rows import MAX_DEPTH, RowError

_SPACED_KEY = re.compile(rb'"[ \t\r\n]+:')
_MAX_UNSIGNED = 2**64 - 1
_MIN_SIGNED = -(2**63)


class _Strange(Exception):
    """The fast way can not vouch for this text."""


def parse(raw: bytes) -> Any:
    """The value in `raw` (UTF-8); raises `RowError`."""
    try:
        value = orjson.loads(raw)
        if num_keys(raw) == _survey(value, 0) and not may_hide_keys(raw):
            return value
    except (_Strange, orjson.JSONDecodeError):
        pass
    return _parse_slowly(raw)


def may_hide_keys(raw: bytes) -> bool:
    """Whether a key of the text may be followed by a space, which `num_keys` does not see."""
    return _SPACED_KEY.search(raw) is not None


def num_keys(raw: bytes) -> int:
    """Number of keys in a JSON text, provided that no key is followed by a space.

    Every key is followed by a colon: as many keys in the value as `":` in the text proves that
    none was lost. Inside of a string the quote is escaped; should a backslash before a quote be
    an escaped one itself, the number is too large, which proves nothing.
    """
    colons = raw.count(b'":')
    if b'\\\\"' not in raw:
        colons -= raw.count(b'\\":')
    return colons


def _survey(value: Any, depth: int) -> int:
    """Number of keys in `value`; raises `_Strange` for depth and numbers beyond 64 bits."""
    keys = 0
    if type(value) is dict:
        keys = len(value)
        value = value.values()
    elif type(value) is not list:
        value = (value,)
    if depth > MAX_DEPTH:
        raise _Strange
    for item in value:
        kind = type(item)
        if kind is str:
            continue
        if kind is dict or kind is list:
            keys += _survey(item, depth + 1)
        elif kind is float and abs(item) >= 2**63:
            raise _Strange
    return keys


def _parse_slowly(raw: bytes) -> Any:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise RowError(
            "invalid_encoding", None, f"Bytes at position {error.start + 1} are not valid text."
        ) from None
    checks = Checks()
    try:
        value = checks.decoder.decode(text)
    except json.JSONDecodeError as error:
        raise RowError(
            "broken_json",
            None,
            f"Not valid JSON: {error.msg.removesuffix(' at')} at column {error.pos + 1}.",
        ) from None
    except RecursionError:
        raise too_deep() from None
    checks.require_clean(value)
    return value


def too_deep() -> RowError:
    """The row is nested beyond the limit."""
    return RowError("too_deep", None, f"Nested deeper than {MAX_DEPTH} levels.")


class Checks:
    """A decoder that notes what is wrong with one value without stopping at it.

    The parser goes on, so that the rows behind it can still be found.
    """

    def __init__(self) -> None:
        self._error: RowError | None = None
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs,
            parse_constant=self._constant,
            parse_int=self._int,
            parse_float=self._float,
        )

    def require_clean(self, value: Any) -> None:
        """Raise what was found in the value that was just parsed, and forget it."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        try:
            _survey(value, 0)
        except _Strange:
            # The only other cause, huge floats, is harmless: 1e300 is what was written.
            if _depth(value) > MAX_DEPTH:
                raise too_deep() from None
        try:
            orjson.dumps(value)
        except TypeError:
            raise RowError("invalid_text", None, "Half of a surrogate pair in a text.") from None

    def forget(self) -> None:
        """The value in which something was found is given up."""
        self._error = None

    def _note(self, rule: str, field: str | None, message: str) -> None:
        self._error = self._error or RowError(rule, field, message)

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            name = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
            self._note("duplicate_key", name, f"The key “{name}” stands twice in one object.")
        return made

    def _constant(self, name: str) -> None:
        self._note("not_a_number", None, f"{name} is not a JSON number.")

    def _int(self, digits: str) -> int:
        if len(digits) > 18 and (
            len(digits) > 20 or not _MIN_SIGNED <= int(digits) <= _MAX_UNSIGNED
        ):
            self._note("number_too_large", None, "A whole number does not fit 64 bits.")
            return 0
        return int(digits)

    def _float(self, digits: str) -> float:
        number = float(digits)
        if not math.isfinite(number):
            self._note("number_too_large", None, "A number does not fit 64 bits.")
            return 0.0
        return number


def _depth(value: Any) -> int:
    """Levels of nesting, without recursion."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        item, level = todo.pop()
        deepest = max(deepest, level)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        todo.extend((part, level + 1) for part in inner if isinstance(part, dict | list))
    return deepest
