"""Appends events to a run folder: the one way to write `events.jsonl`, for every kind of job."""

import errno
import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from training_engine.contract.events import TERMINAL_TYPES, parse_event
from training_engine.contract.failpoints import reach
from training_engine.contract.names import EVENTS_FILE


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they travel as null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


class EventWriter:
    """One line per event, complete or absent: a single `write` on an append-only descriptor.

    Writing after the last event (`finished`, `stopped`, `failed`) is an error of the caller.
    """

    def __init__(self, run_dir: Path) -> None:
        self._file = run_dir / EVENTS_FILE
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._file, flags, 0o640)
        self._seq = 0
        self.ended = False

    def write(self, type_: str, **fields: Any) -> None:
        """Validate against the contract and append; raises `ValidationError` or `OSError`."""
        if self.ended:
            raise RuntimeError(f"{type_}: the run has already said how it ended")
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        event = {"v": 1, "seq": self._seq, "at": at, "type": type_, **_finite(fields)}
        line = json.dumps(event, ensure_ascii=False, default=str) + "\n"
        parse_event(line)
        content = line.encode()
        reach("engine.event")
        if (written := os.write(self._descriptor, content)) != len(content):
            # A full disk takes a part of a line: take it back, or the next event would join it.
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
            raise OSError(errno.ENOSPC, f"{EVENTS_FILE} could not be continued")
        self._seq += 1
        self.ended = type_ in TERMINAL_TYPES

    def catch_up(self) -> None:
        """Go on behind what another process wrote; half a line that it left is taken away."""
        content = self._file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.ftruncate(self._descriptor, len(whole))
        lines = whole.splitlines()
        self._seq = len(lines)
        self.ended = bool(lines) and parse_event(lines[-1]).type in TERMINAL_TYPES

    @property
    def seq(self) -> int:
        """Events written so far."""
        return self._seq

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
