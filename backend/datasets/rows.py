"""What importing is made of: rows of a file, what is wrong with one, what was repaired.

Imported by the import job, which must start in a moment: standard library only.
"""

from dataclasses import dataclass, field
from typing import Any

EXCERPT_CHARACTERS = 160
MAX_ROW_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 100

Scalar = str | int | float | bool | None


class RowError(Exception):
    """This row can not be used; it is dropped and reported, the others go on."""

    def __init__(self, rule: str, field: str | None, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.field = field
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes."""
        return RowError, (self.rule, self.field, self.message)


class UnreadableFile(Exception):
    """The file as a whole can not be imported; `line` and `byte_offset` say where it broke.

    `file` names it when it is one of several.
    """

    file: str | None = None

    def __init__(
        self,
        code: str,
        message: str,
        hint: str,
        *,
        line: int | None = None,
        byte_offset: int | None = None,
        excerpt: str = "",
        params: dict[str, Scalar] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.byte_offset = byte_offset
        self.excerpt = excerpt
        self.params = {**(params or {}), **({"line": line} if line is not None else {})}

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes."""
        return _unreadable, (self.code, self.message, self.hint, self.__dict__)


def _unreadable(code: str, message: str, hint: str, rest: dict[str, Any]) -> UnreadableFile:
    error = UnreadableFile(code, message, hint)
    error.__dict__.update(rest)
    return error


@dataclass(slots=True, frozen=True)
class Repair:
    """What was changed in a row so that it can be used."""

    rule: str
    field: str | None
    message: str


@dataclass(slots=True)
class RawRow:
    """One row as the file has it: `fields`, or the `error` that kept it from being read.

    `line` counts from 1 in the file as uploaded (rows, where a file has no lines); `raw` is what
    an excerpt is taken from. `repairs` is what the reader had to change.
    """

    line: int
    byte_offset: int | None
    raw: bytes | str
    fields: dict[str, Any] | None = None
    error: RowError | None = None
    repairs: list[Repair] = field(default_factory=list)


def excerpt(raw: bytes | str) -> str:
    """The beginning of a row, safe to show: one line, valid text, cut with an ellipsis."""
    cut = raw[: EXCERPT_CHARACTERS * 4]
    text = cut.decode("utf-8", "backslashreplace") if isinstance(cut, bytes) else cut
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    text = " ".join("".join(c if c.isprintable() or c.isspace() else "·" for c in text).split())
    if len(text) > EXCERPT_CHARACTERS or len(raw) > len(cut):
        return text[:EXCERPT_CHARACTERS] + "…"
    return text
