"""The job `download_model`: `python -m backend.models.download_job RUN_DIR` below the run host.

Stopped and started again it goes on where it was: what has arrived stays in `partial`.
"""

import errno
import json
import sys
import time
from pathlib import Path
from typing import Any

from backend.models import fetch
from backend.models.folder import UnusableFolder, require_usable
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
RETRY_HINT = "Try it again: what has arrived is kept."


class _Stopped(Exception):
    """The user does not want this any more."""


class _Ticker:
    """Says how far the download is, and notices when it shall end."""

    def __init__(self, run_dir: Path, events: EventWriter, total_bytes: int) -> None:
        self._control = run_dir / CONTROL_DIR
        self._events = events
        self._total = max(1, total_bytes)
        self._next = 0.0
        self._first: tuple[float, int] | None = None

    def __call__(self, done_bytes: int, name: str) -> None:
        if any((self._control / c).exists() for c in (STOP_COMMAND, STOP_AND_SAVE_COMMAND)):
            raise _Stopped
        now = time.monotonic()
        if now < self._next and done_bytes < self._total:
            return
        self._next = now + REPORT_EVERY_S
        self._first = self._first or (now, done_bytes)
        begun, had = self._first
        speed = (done_bytes - had) / (now - begun) if now > begun + 1 else 0.0
        self._events.write(
            "progress",
            phase=Phase.TRAINING,  # at work
            fraction=min(1.0, done_bytes / self._total),
            eta_s=(self._total - done_bytes) / speed if speed > 0 else None,
            detail=f"{done_bytes}/{self._total} {name}",
        )


def run(run_dir: Path, events: EventWriter) -> None:
    """Fetch, check, publish; raises what goes wrong."""
    spec: dict[str, Any] = json.loads((run_dir / SPEC_FILE).read_bytes())
    partial, target = Path(spec["partial"]), Path(spec["target"])
    total = sum(file["size_bytes"] for file in spec["files"])
    # A retry after the last rename: everything is there already.
    if not target.is_dir():
        fetch.fetch(spec, partial, _Ticker(run_dir, events, total))
        require_usable(partial, partial)
        fetch.publish(partial, target)
    events.write("finished", step=len(spec["files"]), output_bytes=total)


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    run_dir = Path(arguments[0])
    with EventWriter(run_dir) as events:
        events.write(
            "started",
            device="cpu",
            dtype="none",
            device_reason="A download needs no accelerator.",
            versions={"python": sys.version.split()[0]},
        )
        try:
            run(run_dir, events)
        except _Stopped:
            events.write("stopped", step=0)
            return ExitCode.STOPPED
        except UnusableFolder as unusable:
            events.write(
                "failed",
                code=FailureCode.MODEL_NOT_FOUND,
                message=f"What was downloaded can not be used: {unusable}",
                hint="Choose another model.",
            )
        except fetch.DamagedFile as damaged:
            events.write(
                "failed",
                code=FailureCode.DEPENDENCY,
                message=f"{damaged.name} arrived damaged, twice.",
                hint="The hub or the network between may be at fault. Try it again later.",
            )
        except (*fetch.NETWORK_ERRORS, OSError) as error:
            print(repr(error), file=sys.stderr)  # noqa: T201 (the run's log)
            events.write("failed", **_failure(error))
        else:
            return ExitCode.FINISHED
    return ExitCode.FAILED


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return {
            "code": FailureCode.DISK_FULL,
            "message": "There is no space left on the disk for this model.",
            "hint": f"Free some space on the disk of the data folder. {RETRY_HINT}",
        }
    return {
        "code": FailureCode.DEPENDENCY,
        "message": f"The download broke off: {str(error).splitlines()[0][:300] or type(error)}",
        "hint": f"Check the network. {RETRY_HINT}",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
