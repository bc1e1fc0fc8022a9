"""The part of a log that was given up because the log had reached its limit.

Its bytes read as zeros, its offsets stay reserved: whatever was kept is where it always was.
"""

from dataclasses import dataclass
from pathlib import Path

import orjson

from training_engine.contract.names import LOG_HOLE_FILE

MAX_FACTS_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Hole:
    """Bytes [`start`, `end`). The line that ends at `start` says that `lines` are gone.

    That line has the number of the first of them; the line at `end` that of the one after the last.
    """

    start: int
    end: int
    lines: int

    def past(self, offset: int) -> int:
        """`offset`, or the end of the hole when it lies inside."""
        return self.end if self.start <= offset < self.end else offset


NO_HOLE = Hole(0, 0, 1)


def hole_of(file: Path) -> Hole:
    """The hole of a log; an empty one before offset 0 when nothing was given up."""
    try:
        with file.with_name(LOG_HOLE_FILE).open("rb") as stream:
            facts = orjson.loads(stream.read(MAX_FACTS_BYTES))
        hole = Hole(int(facts["start"]), int(facts["end"]), int(facts["lines"]))
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return NO_HOLE
    return hole if 0 < hole.start < hole.end and hole.lines > 0 else NO_HOLE
