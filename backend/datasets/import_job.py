"""The job `import_dataset`: `python -m backend.datasets.import_job RUN_DIR` below the run host.

It must end before the user wonders: standard library, orjson and the contract, nothing else. What
is wrong with the file is a result, not a failure; the job fails when it can not do its work.
"""

import errno
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from backend.datasets.importing import import_file
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


class _Stopped(Exception):
    """The user does not want this any more."""


class _Ticker:
    """Says how far the import is, and notices when it shall end."""

    def __init__(self, run_dir: Path, events: EventWriter, size_bytes: int) -> None:
        self._control = run_dir / CONTROL_DIR
        self._events = events
        self._size_bytes = size_bytes
        self._next = 0.0
        self._begun = time.monotonic()

    def __call__(self, done_bytes: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + REPORT_EVERY_S
        if any((self._control / name).exists() for name in (STOP_COMMAND, STOP_AND_SAVE_COMMAND)):
            raise _Stopped
        fraction = min(1.0, done_bytes / max(1, self._size_bytes))
        eta_s = (now - self._begun) * (1 - fraction) / fraction if fraction > 0.02 else None
        self._events.write("progress", phase=Phase.TRAINING, fraction=fraction, eta_s=eta_s)


def run(run_dir: Path, events: EventWriter) -> ExitCode:
    """Import as `spec.json` says; the result is in `staging/ATTEMPT`."""
    spec: dict[str, Any] = json.loads((run_dir / SPEC_FILE).read_bytes())
    upload = Path(spec["upload"])
    folder = Path(spec["staging"]) / str(spec["attempt"])
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    ticker = _Ticker(run_dir, events, upload.stat().st_size)
    ticker(0)
    summary = import_file(
        upload,
        spec["filename"],
        folder,
        mapping=spec["mapping"],
        max_dropped_rows=spec["max_dropped_rows"],
        tick=ticker,
    )
    counts = summary["counts"]
    print(f"{spec['filename']}: {summary['status']}, {counts}")  # noqa: T201 (the run's log)
    size = sum(file.stat().st_size for file in folder.iterdir())
    metrics = {name: float(count) for name, count in counts.items()}
    events.write("finished", step=sum(counts.values()), metrics=metrics, output_bytes=size)
    return ExitCode.FINISHED


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    run_dir = Path(arguments[0])
    with EventWriter(run_dir) as events:
        events.write(
            "started",
            device="cpu",
            dtype="none",
            device_reason="Reading a file needs no accelerator.",
            versions={"python": sys.version.split()[0]},
        )
        try:
            return run(run_dir, events)
        except _Stopped:
            events.write("stopped", step=0)
            return ExitCode.STOPPED
        except OSError as error:
            events.write("failed", **_failure(error))
        except MemoryError:
            events.write(
                "failed",
                code=FailureCode.HOST_OUT_OF_MEMORY,
                message="There was not enough memory to import the file.",
                hint="Free some memory, or split the file, then import it again.",
            )
    return ExitCode.FAILED


def _failure(error: OSError) -> dict[str, Any]:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return {
            "code": FailureCode.DISK_FULL,
            "message": "There is no space left on the disk to import the file.",
            "hint": "Free some space on the disk of the data folder, then import it again.",
        }
    if isinstance(error, FileNotFoundError):
        return {
            "code": FailureCode.BAD_DATASET,
            "message": "The uploaded file is no longer there.",
            "hint": "Upload it again.",
        }
    return {
        "code": FailureCode.INTERNAL,
        "message": f"The file could not be imported: {error.strerror or error}.",
        "hint": "Check the disk of the data folder, then import it again.",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
