"""The job `examine_dataset`: `python -m backend.datasets.hygiene.job RUN_DIR` below the run host.

It reads a version and writes beside it what its rows hide. A failure harms nothing: the version
stays as it is.
"""

import sys
from pathlib import Path
from typing import Any

from backend.jobs import child
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.names import FailureCode


def work(run_dir: Path, spec: dict[str, Any], events: EventWriter) -> None:
    """Examine the version that the spec names."""
    # Here, because the processes that examine import this module too and need none of it.
    from backend.datasets.hygiene.run import TOTAL, examine

    ticker = child.Ticker(run_dir, events, TOTAL)
    ticker(0)
    folder = Path(spec["folder"])
    result = examine(folder, f"{spec['run_id']}-{spec['attempt']}", ticker)
    counts = {one["name"]: one["rows"] for one in result["findings"]}
    print(f"{folder.name}: {result['examined_rows']} rows, {counts}")  # noqa: T201 (the run's log)
    metrics = {name: float(count) for name, count in counts.items()}
    events.write("finished", step=result["examined_rows"], metrics=metrics, output_bytes=0)


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    return child.run(
        Path(arguments[0]),
        work,
        why_cpu="Reading rows needs no accelerator.",
        expected=(OSError, MemoryError, ValueError),  # also Arrow's, of a file that is damaged
        failure=_failure,
    )


def _failure(error: Exception) -> dict[str, Any]:
    full = child.disk_full(
        error,
        "There is no space left on the disk to examine the data set.",
        "Free some space on the disk of the data folder, then examine it again.",
    )
    if full is not None:
        return full
    if isinstance(error, MemoryError):
        return {
            "code": FailureCode.HOST_OUT_OF_MEMORY,
            "message": "There was not enough memory to examine the data set.",
            "hint": "Free some memory, then examine it again. The data set can be used as it is.",
        }
    if isinstance(error, FileNotFoundError):
        return {
            "code": FailureCode.BAD_DATASET,
            "message": "The rows of this version are no longer there.",
            "hint": "Import the file again, or look at another version.",
        }
    reason = getattr(error, "strerror", None) or error
    return {
        "code": FailureCode.INTERNAL,
        "message": f"The data set could not be examined: {reason}.",
        "hint": "Examine it again. The data set can be used as it is; if this comes again, "
        "report the problem with the log of the server.",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
