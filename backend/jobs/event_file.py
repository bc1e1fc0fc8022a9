"""Reads `events.jsonl` from a byte offset: complete lines only, each checked by the contract."""

import re
from dataclasses import dataclass
from pathlib import Path

import structlog

from backend.storable import wrong_values
from training_engine.contract.events import Event, parse_event

MAX_EVENT_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
MAX_STEP = 2**31 - 1
# No database keeps a NUL; what an error message quotes may hold one.
NUL, IN_ITS_PLACE = rb"\u0000", rb"\ufffd"
# Without escapes a JSON text has no such character, without long numbers none is too large.
_MAY_BE_WRONG = re.compile(rb"\\|\d{19}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event and where its line begins; `end` is the offset to go on from."""

    offset: int
    end: int
    event: Event


def read_events(
    file: Path, offset: int, max_bytes: int = CHUNK_BYTES
) -> tuple[list[PlacedEvent], int]:
    """The events of the next `max_bytes` from `offset`, and the offset to go on from.

    A torn last line waits for its end. A line that the contract does not know is skipped with a
    warning: the engine's output is data, and one bad line must not hold up the next.
    """
    try:
        with file.open("rb") as stream:
            stream.seek(offset)
            content = stream.read(max_bytes)
            while b"\n" not in content and len(content) < MAX_EVENT_BYTES:
                more = stream.read(max_bytes)
                if not more:
                    break
                content += more
    except FileNotFoundError:
        return [], offset
    whole = content.rfind(b"\n") + 1
    if not whole:
        # Longer than any event may be: step over it, piece by piece.
        return [], offset + (len(content) if len(content) >= MAX_EVENT_BYTES else 0)
    found: list[PlacedEvent] = []
    at = offset
    for line in content[: whole - 1].split(b"\n"):
        end = at + len(line) + 1
        try:
            found.append(PlacedEvent(at, end, _parse(line)))
        except ValueError as error:
            log.warning("unknown_event", file=str(file), offset=at, problem=type(error).__name__)
        at = end
    return found, offset + whole


def _parse(line: bytes) -> Event:
    """An event that can be kept as it is; raises `ValueError` for anything else."""
    event = parse_event(line.replace(NUL, IN_ITS_PLACE))
    steps = (getattr(event, name, None) or 0 for name in ("step", "total_steps"))
    wrong = _MAY_BE_WRONG.search(line) is not None and wrong_values(event.model_dump())
    if wrong or not all(0 <= step <= MAX_STEP for step in steps):
        raise ValueError("beyond what can be stored")
    return event


def last_event(file: Path) -> Event | None:
    """The last whole event of a file, however long the file is."""
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return None
    window = 64 * 1024
    while True:
        start = max(0, size - window)
        with file.open("rb") as stream:
            stream.seek(start)
            content = stream.read(size - start)
        lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]
        for line in reversed(lines if start == 0 else lines[1:]):
            try:
                return _parse(line)
            except ValueError:
                continue
        if start == 0 or window >= MAX_EVENT_BYTES:
            return None
        window *= 8
