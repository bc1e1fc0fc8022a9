"""The job `prepare_dataset`: `python -m backend.datasets.preparing.job RUN_DIR` below the run host.

What it makes lies in `staging/ATTEMPT` and counts only when it is whole.
"""

import gc
import shutil
import sys
from pathlib import Path
from typing import Any

from pyarrow import ArrowInvalid

from backend.datasets.arrow import leave_pandas_out
from backend.datasets.preparing.run import passes, prepare
from backend.datasets.preparing.stream import NotPossible
from backend.jobs import child
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.names import FailureCode

GC_AFTER = 100_000
AGAIN = "then prepare the data set again."


def work(run_dir: Path, spec: dict[str, Any], events: EventWriter) -> None:
    """Make the version as the spec says."""
    leave_pandas_out()
    # Rows hold no cycles, and looking for some after every few hundred of them takes its time.
    gc.set_threshold(GC_AFTER)
    staging = Path(spec["staging"])
    folder, temp = staging / str(spec["attempt"]), staging / f"{spec['attempt']}.steps"
    for each in (folder, temp):
        if each.exists():
            shutil.rmtree(each)
        each.mkdir(parents=True, mode=0o700)
    every = [spec["base"], *(each for some in spec["step_sources"] for each in some)]
    total = max(2, sum(each["num_rows"] for each in every) * passes(spec["steps"]))
    ticker = child.Ticker(run_dir, events, total)
    done = 0

    def tick(rows: int) -> None:
        nonlocal done
        done = min(done + rows, total - 1)  # how often rows are read is only about known
        ticker(done)

    try:
        summary = prepare(spec, folder, temp, tick)
    finally:
        shutil.rmtree(temp)
    ticker(total)
    counts = summary["counts"]
    print(f"{summary['num_rows']} rows: {summary['status']}, {counts}")  # noqa: T201 (the run's log)
    size = sum(file.stat().st_size for file in folder.iterdir())
    metrics = {name: float(count) for name, count in counts.items()}
    events.write("finished", step=summary["num_rows"], metrics=metrics, output_bytes=size)


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    return child.run(
        Path(arguments[0]),
        work,
        why_cpu="Preparing rows needs no accelerator.",
        expected=(OSError, MemoryError, NotPossible, ArrowInvalid),
        failure=_failure,
    )


def _failure(error: Exception) -> dict[str, Any]:
    """What went wrong; `reason_code` of its params is the code for who asked for the version, as
    the codes of runs speak of training."""
    full = child.disk_full(
        error,
        "There is no space left on the disk to prepare the data set.",
        f"Free some space on the disk of the data folder, {AGAIN}",
    )
    if full is not None:
        return {**full, "params": {"reason_code": "preparation_disk_full"}}
    if isinstance(error, NotPossible):
        return {
            "code": FailureCode.BAD_DATASET,
            "message": error.message,
            "hint": error.hint,
            "params": {**error.params, "reason_code": error.code},
        }
    if isinstance(error, MemoryError):
        return {
            "code": FailureCode.HOST_OUT_OF_MEMORY,
            "message": "There was not enough memory to prepare the data set.",
            "hint": f"Free some memory, {AGAIN}",
            "params": {"reason_code": "preparation_out_of_memory"},
        }
    if isinstance(error, FileNotFoundError):
        return {
            "code": FailureCode.BAD_DATASET,
            "message": "A version that rows were to be taken from is no longer there.",
            "hint": "Choose other sources and prepare the data set again.",
            "params": {"reason_code": "source_gone"},
        }
    reason = getattr(error, "strerror", None) or error
    return {
        "code": FailureCode.INTERNAL,
        "message": f"The data set could not be prepared: {reason}.",
        "hint": f"Check the disk of the data folder, {AGAIN}",
        "params": {"reason_code": "preparation_failed", "reason": str(reason)},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
