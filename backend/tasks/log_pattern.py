"""Patterns in RE2's syntax, made so that none matches beyond the end of a line."""

import re
from typing import Any

import re2

from backend.errors import AppError

MAX_REASON = 200
_TOKEN = re.compile(r"\\.|\[\^?\]?|\(\?[^):<]*[:)<]?|.", re.DOTALL)
# Outside a class: what would also match a line's end, and the same without it.
_OUTSIDE = {r"\s": r"[\t\f\r ]", r"\W": r"[^\w\n]", r"\D": r"[^\d\n]"}
# Inside a class these are harmless; anything else with a backslash is left to the slow way.
_INSIDE = re.compile(r"\\(?:[dwS]|[^\w\s])")
_ENDS = {r"\A": "^", r"\z": "$"}
_SAFE_ESCAPE = re.compile(r"\\(?:[dwSbB]|[^\w\s])")

_HARMLESS_GROUPS = ("(?:", "(?P<", "(?i:", "(?i)")
CLASS_END = "]"


class BadPattern(AppError):
    """This pattern can not be searched for: {reason}."""

    status = 422


class Pattern:
    """Finds the lines of a text that match. Raises `BadPattern` for what RE2 does not know."""

    def __init__(self, pattern: str, *, case: bool) -> None:
        options = re2.Options()
        options.log_errors, options.never_nl, options.never_capture = False, True, True
        options.case_sensitive = case
        try:
            re2.compile(pattern.encode(), options)  # alone: it must be whole in itself
            # Each line is a text of its own.
            own = "".join(_ENDS.get(part, part) for part in _TOKEN.findall(pattern))
            self._single = re2.compile(f"(?m)(?:{own})".encode(), options)
        except UnicodeEncodeError:  # half a character
            raise BadPattern(params={"reason": "it is not valid text"}) from None
        except re2.error as error:
            raise BadPattern(params={"reason": _reason(error)}) from None
        self._runs = _runs(own, options)

    def lines(self, text: bytes) -> list[int]:
        """Which lines of `text`, each with its newline, match; counted from 0."""
        first = self._single.search(text, 0, len(text) - 1)
        if first is None:
            return []
        if self._runs is None:
            return _one_by_one(text, self._single)
        return _in_runs(text, self._runs)


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return (said.decode(errors="replace") if isinstance(said, bytes) else str(said))[:MAX_REASON]


def _runs(pattern: str, options: Any) -> Any:
    """Matches all lines that match and follow each other at once; None when it is not safe."""
    if (confined := confined_to_line(pattern)) is None:
        return None
    options.never_nl = False
    try:
        return re2.compile(f"(?m)(?:^.*(?:{confined}).*\\n)+".encode(), options)
    except re2.error:  # twice the size may be too large
        return None


def confined_to_line(pattern: str) -> str | None:
    """The same pattern, unable to match a line's end; None when that is not easily said."""
    inside, parts = False, []
    for part in _TOKEN.findall(pattern):
        escape = part.startswith("\\")
        if inside:
            # Not: a named class, or a range that begins below the line's end.
            if part.startswith("[") or part < " " or (escape and not _INSIDE.fullmatch(part)):
                return None
            inside = part != CLASS_END
            parts.append(part)
        elif part.startswith("["):
            inside = True
            parts.append(part.replace("^", r"^\n").replace(CLASS_END, r"\]"))
        elif part in _OUTSIDE:
            parts.append(_OUTSIDE[part])
        elif part == "\n" or _is_strange(part):
            return None
        else:
            parts.append(part)
    return "".join(parts)


def _is_strange(part: str) -> bool:
    """Whether a part outside a class may do more than is easily seen."""
    if part.startswith("(?"):
        return part not in _HARMLESS_GROUPS
    return part.startswith("\\") and not _SAFE_ESCAPE.fullmatch(part)


def _in_runs(text: bytes, runs: Any) -> list[int]:
    found: list[int] = []
    line, at = 0, 0
    for match in runs.finditer(text):
        start, end = match.span()
        line += text.count(b"\n", at, start)
        count = text.count(b"\n", start, end)
        found.extend(range(line, line + count))
        line, at = line + count, end
    return found


def _one_by_one(text: bytes, pattern: Any) -> list[int]:
    found: list[int] = []
    line, at, end = 0, 0, len(text) - 1
    while at <= end and (match := pattern.search(text, at, end)) is not None:
        start, stop = match.span()
        line += text.count(b"\n", at, start)
        found.append(line)
        at = text.find(b"\n", stop) + 1
        if not at:
            break
        line += 1
    return found
