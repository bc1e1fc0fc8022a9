"""A place in what the attempts of a task wrote: `ATTEMPT-OFFSET`, where a line begins.

The same for log lines and for events, so that going on is one seek. `ATTEMPT-` is the place before
the first line.
"""

import re
from pathlib import Path
from typing import NamedTuple

from backend.errors import Refused
from backend.jobs.log_file import start_of_next

FORM = re.compile(r"(\d{1,9})-(\d{0,18})")


class BadPosition(Refused):
    """`{position}` is not a position in a log; one looks like 1-2048."""


class Position(NamedTuple):
    """The line that begins at byte `offset` of the file of `attempt`; None: before the first."""

    attempt: int
    offset: int | None

    def __str__(self) -> str:
        return f"{self.attempt}-{'' if self.offset is None else self.offset}"

    def following(self, file: Path) -> int:
        """Where the line after this one begins in `file`."""
        return 0 if self.offset is None else start_of_next(file, self.offset)


def parse(text: str) -> Position:
    """A position that came from outside; raises `BadPosition`."""
    found = FORM.fullmatch(text.strip())
    if found is None:
        raise BadPosition(params={"position": text[:50]})
    return Position(int(found[1]), int(found[2]) if found[2] else None)
