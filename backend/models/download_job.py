"""The job `download_model`: `python -m backend.models.download_job RUN_DIR` below the run host.

Stopped and started again it goes on where it was: what has arrived stays in `partial`.
"""

import sys
from pathlib import Path
from typing import Any

from backend.hubs.download import NETWORK_ERRORS, DamagedFile
from backend.jobs import child, whole_folders
from backend.models import fetch
from backend.models.folder import UnusableFolder, require_usable
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.names import FailureCode

RETRY_HINT = "Try it again: what has arrived is kept."


class Ticker(child.Ticker):
    """Listens at every chunk: a stop must not cost what a slow line takes half a second for."""

    def __call__(self, done_bytes: int, detail: str | None = None) -> None:
        """Raise `Stopped` when the download shall end."""
        self.listen()
        super().__call__(done_bytes, detail)


def work(run_dir: Path, spec: dict[str, Any], events: EventWriter) -> None:
    """Fetch, check, publish; raises what goes wrong."""
    partial, target = Path(spec["partial"]), Path(spec["target"])
    total = sum(file["size_bytes"] for file in spec["files"])
    # A retry after the last rename: everything is there already.
    if not target.is_dir():
        fetch.fetch(spec, partial, Ticker(run_dir, events, total))
        require_usable(partial, partial)
        whole_folders.publish(partial, target)
    events.write("finished", step=len(spec["files"]), output_bytes=total)


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns the exit code."""
    return child.run(
        Path(arguments[0]),
        work,
        why_cpu="A download needs no accelerator.",
        expected=(UnusableFolder, DamagedFile, *NETWORK_ERRORS, OSError),
        failure=_failure,
    )


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, UnusableFolder):
        return {
            "code": FailureCode.MODEL_NOT_FOUND,
            "message": f"What was downloaded can not be used: {error}",
            "hint": "Choose another model.",
        }
    if isinstance(error, DamagedFile):
        return {
            "code": FailureCode.DEPENDENCY,
            "message": f"{error.name} arrived damaged, twice.",
            "hint": "The hub or the network between may be at fault. Try it again later.",
        }
    full = child.disk_full(
        error,
        "There is no space left on the disk for this model.",
        f"Free some space on the disk of the data folder. {RETRY_HINT}",
    )
    said = (str(error).splitlines() or [type(error).__name__])[0][:300]
    return full or {
        "code": FailureCode.DEPENDENCY,
        "message": f"The download broke off: {said or type(error).__name__}",
        "hint": f"Check the network. {RETRY_HINT}",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
