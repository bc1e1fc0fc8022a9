"""The job `import_dataset`: `python -m backend.datasets.importing.job RUN_DIR` below the run host.

It must end before the user wonders: standard library, orjson and the contract, nothing else. What
is wrong with the file is a result, not a failure; the job fails when it can not do its work.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from backend.datasets.importing import ceilings
from backend.jobs import child
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.names import FailureCode


def work(run_dir: Path, spec: dict[str, Any], events: EventWriter) -> None:
    """Import as the spec says; the result is in `staging/ATTEMPT`."""
    # Here, because the processes that convert import this module too and need none of it.
    from backend.datasets.archives.limits import Unpacked
    from backend.datasets.arrow import leave_pandas_out
    from backend.datasets.importing.run import import_files

    leave_pandas_out()
    uploads = [Unpacked(Path(path), name) for path, name in _uploads(spec)]
    folder = Path(spec["staging"]) / str(spec["attempt"])
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    size = sum(upload.path.stat().st_size for upload in uploads)
    ticker = child.RowTicker(run_dir, events, size)
    ticker(0)
    with ceilings.lowered(size):
        summary = import_files(
            uploads,
            folder,
            mapping=spec["mapping"],
            options=spec.get("options"),
            entry=spec.get("entry"),
            max_dropped_rows=spec["max_dropped_rows"],
            max_unpacked_bytes=spec.get("max_unpacked_bytes"),
            watch=ticker,
        )
    counts = summary["counts"]
    names = ", ".join(upload.name for upload in uploads)
    print(f"{names}: {summary['status']}, {counts}")  # noqa: T201 (the run's log)
    size = sum(file.stat().st_size for file in folder.iterdir())
    metrics = {name: float(count) for name, count in counts.items()}
    events.write("finished", step=sum(counts.values()), metrics=metrics, output_bytes=size)


def _uploads(spec: dict[str, Any]) -> list[tuple[str, str]]:
    """Where each file lies and what its user calls it; one, or `files` for several."""
    several = spec.get("files") or [{"path": spec["upload"], "filename": spec["filename"]}]
    return [(each["path"], each["filename"]) for each in several]


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    return child.run(
        Path(arguments[0]),
        work,
        why_cpu="Reading a file needs no accelerator.",
        expected=(OSError, MemoryError, ceilings.TooSlow),
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
    if isinstance(error, ceilings.TooSlow):
        return {
            "code": FailureCode.BAD_DATASET,
            "message": "The file takes far more time to read than its size explains.",
            "hint": "Export it again, or split it, then upload that.",
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
