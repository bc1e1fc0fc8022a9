"""The job `fetch_dataset`: `python -m backend.datasets.hubs.job RUN_DIR` below the run host.

Stopped and started again it goes on where it was: what has arrived stays. What is wrong with the
data set is a result, not a failure; the job fails when it can not do its work.
"""

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from backend.datasets.hubs.names import TROUBLE_FILE
from backend.datasets.hubs.trouble import HubTrouble
from backend.jobs import child
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.names import FailureCode


class Ticker(child.Ticker):
    """Listens at every chunk: a stop must not cost what a slow line takes half a second for."""

    def __call__(self, done_bytes: int, detail: str | None = None) -> None:
        """Raise `Stopped` when it shall end."""
        self.listen()
        super().__call__(done_bytes, detail)


class _Progress:
    """Makes the ticker when the size is known."""

    def __init__(self, run_dir: Path, events: EventWriter) -> None:
        self._make = partial(Ticker, run_dir, events)
        self._ticker: Ticker | None = None

    def __call__(self, done: int, total: int, name: str) -> None:
        self._ticker = self._ticker or self._make(total)
        self._ticker(done, name or None)


def work(run_dir: Path, spec: dict[str, Any], events: EventWriter) -> None:
    """Fetch and import as the spec says; the result is in `staging/ATTEMPT`."""
    from backend.datasets.hubs.obtain import obtain

    folder = Path(spec["staging"]) / str(spec["attempt"])
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    Ticker(run_dir, events, 1).listen()
    try:
        summary = obtain(spec, folder, _Progress(run_dir, events))
    except HubTrouble as trouble:
        print(f"{spec['reference']}: {trouble.code}: {trouble.message}")  # noqa: T201 (the log)
        said = {"error": trouble.error, "choices": trouble.choices}
        (folder / TROUBLE_FILE).write_bytes(orjson.dumps(said))
        events.write("finished", step=0)
        return
    counts = summary["counts"]
    print(f"{spec['reference']}: {summary['status']}, {counts}")  # noqa: T201 (the run's log)
    size = sum(file.stat().st_size for file in folder.iterdir())
    metrics = {name: float(count) for name, count in counts.items()}
    events.write("finished", step=sum(counts.values()), metrics=metrics, output_bytes=size)


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    return child.run(
        Path(arguments[0]),
        work,
        why_cpu="Fetching and reading files needs no accelerator.",
        expected=(OSError, MemoryError),
        failure=_failure,
    )


def _failure(error: Exception) -> dict[str, Any]:
    from backend.datasets.hubs.obtain import NoSpace

    no_space = "There is no space left on the disk for this data set."
    hint = "Free some space on the disk of the data folder, then fetch it again."
    if isinstance(error, NoSpace):
        return {"code": FailureCode.DISK_FULL, "message": no_space, "hint": hint}
    if (full := child.disk_full(error, no_space, hint)) is not None:
        return full
    if isinstance(error, MemoryError):
        return {
            "code": FailureCode.HOST_OUT_OF_MEMORY,
            "message": "There was not enough memory to import the data set.",
            "hint": "Free some memory, or choose a smaller split, then fetch it again.",
        }
    reason = getattr(error, "strerror", None) or error
    return {
        "code": FailureCode.INTERNAL,
        "message": f"The data set could not be fetched: {reason}.",
        "hint": "Check the disk of the data folder, then fetch it again.",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
