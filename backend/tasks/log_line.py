"""A line of `output.log` as the API shows it, without anything that looks like a secret."""

from datetime import UTC, datetime

from backend.jobs.log_file import RawLine
from backend.log import redact
from backend.tasks.history_schemas import LogLine
from training_engine.contract.log_lines import parse_line

# Of a line that is not in the format: the writer died in the middle of it.
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def parse(raw: RawLine, attempt: int, number: int) -> LogLine:
    """The line that begins at `raw.offset` of the log of `attempt` and is its `number`th."""
    found = parse_line(raw.content)
    id_ = f"{attempt}-{raw.offset}"
    if found is None:
        text = redact(raw.content.decode(errors="backslashreplace"))
        return LogLine(
            id=id_, number=number, at=UNKNOWN_TIME, level="info", stream="host", text=text
        )
    return LogLine(
        id=id_,
        number=number,
        at=found.at,
        level=found.level,
        stream=found.stream,
        text=redact(found.text),
        continued=found.continued,
    )
