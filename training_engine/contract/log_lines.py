"""One line of `output.log`: `TIME LEVEL STREAM TEXT`, written by the run host, read by the backend.

`2026-11-21T09:30:00.123Z INFO out step 12/93  loss 1.41`. The stream may be followed by `@3` (the
process of several that said it), by `#0-4=31,9-12=1;32` (colours: characters 0 to 4 in SGR code
31, …; the text itself is plain) and by `+` (the text goes on in the next line: it was longer than a
line may be), in this order. Standard library only.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from time import gmtime, strftime
from typing import Literal, NamedTuple

Level = Literal["debug", "info", "warning", "error"]
Stream = Literal["out", "err", "host"]  # host: the run host's own remarks

# Characters `start` to `end` (exclusive) of a text are shown as this SGR code says: "1;32".
Colour = tuple[int, int, str]

LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
STREAMS: tuple[Stream, ...] = ("out", "err", "host")

_SOURCE = re.compile(r"(out|err|host)(?:@(\d{1,6}))?(?:#([\d;=,-]*))?(\+?)")
_COLOUR = re.compile(r"(\d{1,6})-(\d{1,6})=([\d;]{1,64})")

_WORDS: dict[str, Level] = {
    "debug": "debug",
    "trace": "debug",
    "info": "info",
    "notice": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "err": "error",
    "critical": "error",
    "fatal": "error",
}
# A level's name at the start, perhaps bracketed or after a date and time: "[WARN] …",
# "2026-01-01 10:00:00,123 - ERROR - …", "INFO:root:…". Lower case counts only before a colon.
_PREFIX = re.compile(
    r"(?:\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\]?[\s|:-]*)?"
    r"(?:[\[(|]\s*(?P<bracketed>\w{3,8})\s*[\])|]"
    r"|(?P<upper>DEBUG|TRACE|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b"
    r"|(?P<lower>debug|info|warn|warning|error|critical|fatal|Warning|Error|Info)\s*:)"
)
_PYTHON_WARNING = re.compile(r"(?:\S+:\d+: )?\w*Warning: ")
_PYTHON_ERROR = re.compile(r"Traceback \(most recent call last\)|[\w.]*(?:Error|Exception): ")
# Looked at first: most lines can match none of the above, and a flood has many of them.
_MAY_SAY_LEVEL = re.compile(r"[\[(|\dDTINWECFdtinwecf]|\S*(?:Warning|Error|Exception): |\S+:\d+: ")


class LogLine(NamedTuple):
    """A parsed line; `at` in UTC, `continued` when the text goes on in the next line."""

    at: datetime
    level: Level
    stream: Stream
    text: str
    continued: bool
    rank: int | None = None
    colours: tuple[Colour, ...] = ()


def timestamp(now_s: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC with milliseconds."""
    whole = int(now_s)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(whole))}.{int((now_s - whole) * 1000):03d}Z"


def format_head(
    at: str,
    level: Level,
    stream: Stream,
    continued: bool = False,
    rank: int | None = None,
    colours: Sequence[Colour] = (),
) -> str:
    """What stands before a line's text, with the space between them."""
    by = "" if rank is None else f"@{rank}"
    shown = "#" + ",".join(f"{a}-{b}={code}" for a, b, code in colours) if colours else ""
    return f"{at} {level.upper()} {stream}{by}{shown}{'+' if continued else ''} "


def format_line(at: str, level: Level, stream: Stream, text: str, continued: bool = False) -> str:
    """A line without its newline; `text` must not contain one, `at` comes from `timestamp`."""
    return format_head(at, level, stream, continued) + text


def parse_line(line: bytes | str) -> LogLine | None:
    """A line without its newline; None when it is not in the format."""
    text = line.decode("utf-8", errors="backslashreplace") if isinstance(line, bytes) else line
    parts = text.split(" ", 3)
    if len(parts) < 3:
        return None
    level, source = parts[1].lower(), _SOURCE.fullmatch(parts[2])
    if level not in LEVELS or source is None or not parts[0].endswith("Z"):
        return None
    try:
        at = datetime.fromisoformat(parts[0]).astimezone(UTC)
    except ValueError:
        return None
    stream, rank, colours, more = source.groups()
    return LogLine(
        at=at,
        level=level,
        stream=stream,
        text=parts[3] if len(parts) > 3 else "",
        continued=bool(more),
        rank=None if rank is None else int(rank),
        colours=_colours(colours) if colours else (),
    )


def _colours(text: str) -> tuple[Colour, ...]:
    return tuple((int(a), int(b), code) for a, b, code in _COLOUR.findall(text))


def infer_level(text: str, stream: Stream) -> Level:
    """The level a line claims for itself; else `info` on stdout, `warning` on stderr."""
    default: Level = "warning" if stream == "err" else "info"
    if not _MAY_SAY_LEVEL.match(text):
        return default
    if found := _PREFIX.match(text):
        word = (found["bracketed"] or found["upper"] or found["lower"]).lower()
        if word in _WORDS:
            return _WORDS[word]
    if _PYTHON_WARNING.match(text):
        return "warning"
    if _PYTHON_ERROR.match(text):
        return "error"
    return default
