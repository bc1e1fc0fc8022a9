"""A line of `output.log` as the API shows it, without anything that looks like a secret."""

from collections.abc import Sequence
from datetime import UTC, datetime

from backend.jobs.log_file import RawLine
from backend.log import HIDDEN, SECRET_VALUES, redact
from backend.tasks.history_schemas import LogLine
from training_engine.contract.log_lines import Colour, parse_line

# Of a line that is not in the format: the writer died in the middle of it.
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
ONE_UNIT = "\uffff"  # characters beyond take two of UTF-16


def parse(raw: RawLine, attempt: int, number: int) -> LogLine:
    """The line that begins at `raw.offset` of the log of `attempt` and is its `number`th."""
    found = parse_line(raw.content)
    id_ = f"{attempt}-{raw.offset}"
    if found is None:
        text = redact(raw.content.decode(errors="backslashreplace"))
        return LogLine(
            id=id_, number=number, at=UNKNOWN_TIME, level="info", stream="host", text=text
        )
    text = redact(found.text)
    return LogLine(
        id=id_,
        number=number,
        at=found.at,
        level=found.level,
        stream=found.stream,
        text=text,
        continued=found.continued,
        rank=found.rank,
        colours=_placed(found.text, text, found.colours) if found.colours else [],
    )


def _placed(written: str, shown: str, colours: Sequence[Colour]) -> list[Colour]:
    """Where the colours of what was written lie in what is shown."""
    covered = [] if written == shown else [m.span() for m in SECRET_VALUES.finditer(written)]

    def place(at: int) -> int:
        moved = at = min(at, len(written))
        for start, end in covered:
            if at >= end:
                moved += len(HIDDEN) - (end - start)
            elif at > start:
                moved += min(at - start, len(HIDDEN)) - (at - start)
        wide = 0 if shown.isascii() else sum(c > ONE_UNIT for c in shown[:moved])
        return moved + wide

    placed = [(place(start), place(end), code) for start, end, code in colours]
    return [span for span in placed if span[0] < span[1]]
