"""What the children of light jobs have in common: a start, progress, an ear for stop, an end.

Runs below the run host and must begin in a moment: standard library and the contract, nothing
else.
"""

import errno
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training_engine.contract.event_writer import EventWriter
from training_engine.contract.names import (
    CONTROL_DIR,
    SPEC_FILE,
    STOP_AND_SAVE_COMMAND,
    STOP_COMMAND,
    ExitCode,
    FailureCode,
    Phase,
)

REPORT_EVERY_S = 0.5
# A speed over less than this is noise.
MEASURE_S = 1.0
# What a step can be in the database.
MAX_STEP = 2**31 - 1


class Stopped(Exception):
    """The user does not want this any more."""


class Ticker:
    """Told how many bytes are done: says it at most twice a second, and notices a stop."""

    def __init__(self, run_dir: Path, events: EventWriter, total_bytes: int) -> None:
        self._control = run_dir / CONTROL_DIR
        self._events = events
        self.stage(total_bytes, 0.0, 1.0)

    def stage(self, total_bytes: int, low: float, high: float) -> None:
        """The work of these bytes begins; it is the part from `low` to `high` of the whole job."""
        self._total = max(1, total_bytes)
        self._low, self._high = low, high
        self._next = 0.0
        self._first: tuple[float, int, int] | None = None

    def __call__(self, done_bytes: int, detail: str | None = None) -> None:
        """Raise `Stopped` when the job shall end."""
        self._tell(done_bytes, detail, None)

    def _tell(self, done_bytes: int, detail: str | None, rows: int | None) -> None:
        now = time.monotonic()
        if now < self._next and done_bytes < self._total:
            return
        self._next = now + REPORT_EVERY_S
        self.listen()
        self._first = self._first or (now, done_bytes, rows or 0)
        begun, had_bytes, had_rows = self._first
        took = now - begun if now > begun + MEASURE_S else None
        speed = (done_bytes - had_bytes) / took if took else 0.0
        # What comes after this stage can not be told from its speed.
        known = speed > 0 and self._high >= 1.0
        done = min(1.0, done_bytes / self._total)
        self._events.write(
            "progress",
            phase=Phase.TRAINING,  # at work
            step=min(rows or 0, MAX_STEP),
            fraction=self._low + (self._high - self._low) * done,
            eta_s=max(0, self._total - done_bytes) / speed if known else None,
            detail=f"{done_bytes}/{self._total} {detail}" if detail else None,
        )
        if rows is not None and took:
            values = {"rows": float(rows), "rows_per_s": (rows - had_rows) / took}
            self._events.write("metrics", step=min(rows, MAX_STEP), values=values)

    def listen(self) -> None:
        """Raise `Stopped` when the job shall end; a look at two files."""
        if any((self._control / name).exists() for name in (STOP_COMMAND, STOP_AND_SAVE_COMMAND)):
            raise Stopped


class RowTicker(Ticker):
    """Is told rows as well, and says how many come in a second."""

    def __call__(self, done_bytes: int, detail: str | None = None, rows: int | None = None) -> None:
        """Raise `Stopped` when the job shall end."""
        self._tell(done_bytes, detail, rows)


Work = Callable[[Path, dict[str, Any], EventWriter], None]


def run(
    run_dir: Path,
    work: Work,
    *,
    why_cpu: str,
    expected: tuple[type[Exception], ...],
    failure: Callable[[Exception], dict[str, Any]],
) -> ExitCode:
    """Do `work(run_dir, spec, events)`, which writes `finished` itself.

    `failure` turns what of `expected` it raised into code, message and hint.
    """
    with EventWriter(run_dir) as events:
        events.write(
            "started",
            device="cpu",
            dtype="none",
            device_reason=why_cpu,
            versions={"python": sys.version.split()[0]},
        )
        try:
            work(run_dir, json.loads((run_dir / SPEC_FILE).read_bytes()), events)
        except Stopped:
            events.write("stopped", step=0)
            return ExitCode.STOPPED
        except expected as error:
            print(repr(error), file=sys.stderr)  # noqa: T201 (the run's log)
            events.write("failed", **failure(error))
            return ExitCode.FAILED
    return ExitCode.FINISHED


def disk_full(error: Exception, message: str, hint: str) -> dict[str, Any] | None:
    """The failure, when `error` says that the disk is full."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return {"code": FailureCode.DISK_FULL, "message": message, "hint": hint}
    return None
