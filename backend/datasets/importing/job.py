"""The job `import_dataset`: `python -m backend.datasets.importing.job RUN_DIR` below the run host.

It must end before the user wonders: standard library, orjson and the contract, nothing else. What
is wrong with the file is a result, not a failure; the job fails when it can not do its work.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from backend.jobs import child
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.names import FailureCode


def work(run_dir: Path, spec: dict[str, Any], events: EventWriter) -> None:
    """Import as the spec says; the result is in `staging/ATTEMPT`."""
    # Here, because the processes that convert import this module too and need none of it.
    from backend.datasets.importing.run import import_file

    upload = Path(spec["upload"])
    folder = Path(spec["staging"]) / str(spec["attempt"])
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    ticker = child.Ticker(run_dir, events, upload.stat().st_size)
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


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    return child.run(
        Path(arguments[0]),
        work,
        why_cpu="Reading a file needs no accelerator.",
        expected=(OSError, MemoryError),
        failure=_failure,
    )


def _failure(error: Exception) -> dict[str, Any]:
    full = child.disk_full(
        error,
        "There is no space left on the disk to import the file.",
        "Free some space on the disk of the data folder, then import it again.",
    )
    if full is not None:
        return full
    if isinstance(error, MemoryError):
        return {
            "code": FailureCode.HOST_OUT_OF_MEMORY,
            "message": "There was not enough memory to import the file.",
            "hint": "Free some memory, or split the file, then import it again.",
        }
    if isinstance(error, FileNotFoundError):
        return {
            "code": FailureCode.BAD_DATASET,
            "message": "The uploaded file is no longer there.",
            "hint": "Upload it again.",
        }
    reason = getattr(error, "strerror", None) or error
    return {
        "code": FailureCode.INTERNAL,
        "message": f"The file could not be imported: {reason}.",
        "hint": "Check the disk of the data folder, then import it again.",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
