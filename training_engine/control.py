"""Requests to stop, seen at the next step boundary: files in `control/`, or a signal."""

import signal
from enum import Enum
from pathlib import Path
from types import FrameType

from training_engine.contract.names import CONTROL_DIR, STOP_AND_SAVE_COMMAND, STOP_COMMAND


class Stop(Enum):
    """How to end early."""

    SAVE = "save"
    DISCARD = "discard"


class StopRequests:
    """Looks for requests. A signal handler only sets a flag; the loop saves where it is whole."""

    def __init__(self, run_dir: Path) -> None:
        self._control = run_dir / CONTROL_DIR
        self._signalled = False

    def listen(self) -> None:
        """Treat SIGTERM and SIGINT as a request to save and stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True

    def pass_on(self) -> None:
        """Leave a signal's request in the folder, where the other processes of the run see it."""
        if self._signalled:
            self._control.mkdir(mode=0o700, exist_ok=True)
            (self._control / STOP_AND_SAVE_COMMAND).touch(mode=0o640)

    def wanted(self) -> Stop | None:
        """What is asked for now."""
        if (self._control / STOP_COMMAND).exists():
            return Stop.DISCARD
        if self._signalled or (self._control / STOP_AND_SAVE_COMMAND).exists():
            return Stop.SAVE
        return None
