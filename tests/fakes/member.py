"""A member of a run that ends as its folder says: `rank-N` holds a word for each."""

import atexit
import os
import signal
import sys
import time
from pathlib import Path

from training_engine import launch
from training_engine.contract.names import ExitCode, FailureCode
from training_engine.failures import EngineFailure


def main(run_dir: Path) -> int:
    """Exit code of this member."""
    word = (run_dir / f"rank-{os.environ['RANK']}").read_text()
    if word == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "waits":
        time.sleep(600)
    if word == "fragile":  # its clean-up would go wrong
        atexit.register(os.abort)
        return ExitCode.FINISHED
    if word in {"out_of_memory", "internal"}:
        launch.tell(EngineFailure(FailureCode(word), f"{word} happened.", "Do something."))
        return ExitCode.FAILED
    return int(word)


if __name__ == "__main__":
    launch.end(main(Path(sys.argv[1])))
