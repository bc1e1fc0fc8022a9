"""What of a log is wanted, and how lines are found that are: whole blocks at once, in linear time.

Patterns are RE2's: no pattern can take more than time in proportion to the log, and RE2 lets other
threads work meanwhile. What is searched is the text as it is shown, with secrets covered.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import re2

from backend.log import redact
from backend.tasks.log_pattern import Pattern
from training_engine.contract.log_lines import LEVELS

# A time, a level, a stream with what may follow it: see `training_engine/contract/log_lines.py`.
_TIME = rb".{23}Z"
_TIME_BYTES = 24
_HEAD = re.compile(rb"\n" + _TIME + rb" [A-Z]+ (?:out|err|host)[^ \n]* ?")
# More than what `redact` covers, at the speed of RE2: only such lines are looked at closely.
SECRET_HINT = re2.compile(
    rb"hf_[A-Za-z0-9]{8}|sk-[A-Za-z0-9_-]{8}|eyJ[^\s.]+\.|://[^/\s:@]+:[^@\s]+@|(?i:bearer)"
)


@dataclass(frozen=True)
class Filter:
    """Which lines are wanted; an empty part wants all. `q` is literal unless `regex` is set."""

    levels: frozenset[str] = frozenset()
    q: str = ""
    since: datetime | None = None
    until: datetime | None = None
    streams: frozenset[str] = frozenset()
    ranks: frozenset[int] = frozenset()
    regex: bool = False
    case: bool = False

    def __bool__(self) -> bool:
        parts = (self.levels, self.q, self.since, self.until, self.streams, self.ranks)
        return any(map(bool, parts))


class Matcher:
    """Finds the lines that a filter wants. Raises `BadPattern`."""

    def __init__(self, wanted: Filter) -> None:
        self._heads = _heads_of(wanted)
        self._rank = _rank_of(wanted)
        self._text = _Text(wanted) if wanted.q else None
        self._since = _stamp(wanted.since, up=True) if wanted.since else b""
        self._until = _stamp(wanted.until, up=False) if wanted.until else b""
        self._all = not (self._heads or self._rank or self._since or self._until)

    def indexes(self, lines: bytes) -> list[int]:
        """Which of these whole lines are wanted, counted from 0."""
        if not lines or (self._text is not None and not self._text.possible(lines)):
            return []
        if self._all:
            return self._text.indexes(lines) if self._text else list(range(lines.count(b"\n")))
        if self._heads and not any(b"Z " + head in lines for head in self._heads):
            return []
        parts = lines.split(b"\n")
        parts.pop()
        found = self._by_head(parts)
        if not found or self._text is None:
            return found
        chosen = b"\n".join([parts[i] for i in found]) + b"\n"
        return [found[i] for i in self._text.indexes(chosen)]

    def _by_head(self, parts: list[bytes]) -> list[int]:
        found: list[int]
        if self._heads:
            heads = self._heads
            found = [i for i, line in enumerate(parts) if line.startswith(heads, _TIME_BYTES + 1)]
        else:
            found = list(range(len(parts)))
        if self._since or self._until:
            since, until = self._since, self._until or b"~"
            found = [i for i in found if since <= parts[i][:_TIME_BYTES] <= until]
        if self._rank:
            matches = self._rank.match
            found = [i for i in found if matches(parts[i])]
        return found


def _heads_of(wanted: Filter) -> tuple[bytes, ...]:
    """What may stand after the time; none when nothing is asked of it."""
    if not (wanted.levels or wanted.streams):
        return ()
    return tuple(
        f"{level.upper()} {stream}".encode()
        for level in sorted(wanted.levels or LEVELS)
        for stream in sorted(wanted.streams or ("",))
    )


def _rank_of(wanted: Filter) -> "re.Pattern[bytes] | None":
    if not wanted.ranks:
        return None
    ranks = "|".join(str(rank) for rank in sorted(wanted.ranks))
    return re.compile(_TIME + f" [A-Z]+ [a-z]+@(?:{ranks})[ #+]".encode())


def _stamp(time: datetime, *, up: bool) -> bytes:
    """As a log writes it, to the millisecond."""
    try:
        time = time.astimezone(UTC)
        if up and (rest := time.microsecond % 1000):
            time += timedelta(microseconds=1000 - rest)
    except OverflowError:  # a zone beyond the first or the last year
        time = time.replace(tzinfo=UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}".rjust(19, "0").encode() + (
        b".%03dZ" % (time.microsecond // 1000)
    )


class _Text:
    """Lines by what they say."""

    def __init__(self, wanted: Filter) -> None:
        self._fold = not wanted.case
        # Nothing that is covered is found, but what covers it is.
        literal = not wanted.regex and (wanted.case or wanted.q.isascii()) and "*" not in wanted.q
        self._needle = (wanted.q.lower() if self._fold else wanted.q) if literal else ""
        pattern = wanted.q if wanted.regex else re.sub(r"([^\w\s])", r"\\\1", wanted.q)
        self._pattern = Pattern(pattern, case=wanted.case)
        self._bytes = self._needle.encode()

    def possible(self, lines: bytes) -> bool:
        """A cheap look at the lines with all that stands before their texts."""
        return not self._bytes or self._bytes in (lines.lower() if self._fold else lines)

    def indexes(self, lines: bytes) -> list[int]:
        """Which of these whole lines say it."""
        return self._pattern.lines(texts_of(lines))


def texts_of(lines: bytes) -> bytes:
    """What whole lines say, as it is shown: without their heads, and with secrets covered."""
    texts: bytes = _HEAD.sub(b"\n", b"\n" + lines)[1:]
    if SECRET_HINT.search(texts) is None and _is_valid(texts):
        return texts
    covered = [redact(text) for text in texts.decode(errors="backslashreplace").split("\n")]
    return "\n".join(covered).encode()


def _is_valid(texts: bytes) -> bool:
    """Whether it is UTF-8: RE2 passes over what is not."""
    try:
        return texts.isascii() or bool(texts.decode())
    except UnicodeDecodeError:
        return False


def thinned(numbers: list[int], most: int) -> list[int]:
    """At most `most` of these, evenly."""
    if len(numbers) <= most:
        return numbers
    step = math.ceil(len(numbers) / most)
    return numbers[::step]
