"""One run folder, run to its end in the foreground: no database, no supervisor.

The run host is started as the supervisor starts it; what it says is read from its files.
"""

import hashlib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.jobs.event_file import last_event, read_events
from backend.jobs.run_folder import RunFolder
from backend.processes.spawn import environment, python_module, spawn
from training_engine.contract.events import Event, Failed, Finished, Stopped
from training_engine.contract.names import (
    NONCE_VARIABLE,
    RUN_DIR_VARIABLE,
    STOP_AND_SAVE_COMMAND,
    STOP_COMMAND,
    ExitCode,
)

LOOK_EVERY_S = 0.1
HOST_OUTPUT_FILE = "host.log"

Tell = Callable[[Event], None]


@dataclass(frozen=True)
class Ending:
    """How a run ended: exit code of the contract, and for a failure what to do."""

    code: ExitCode
    message: str = ""
    hint: str = ""
    last: Event | None = None


class ForegroundRun:
    """A run that lives as long as `follow` is called; each interruption asks more firmly."""

    def __init__(self, folder: RunFolder, child: str | None = None) -> None:
        self.folder = folder
        self._child = ["--child", child] if child else []
        self._process: subprocess.Popen[bytes] | None = None
        self._interruptions = 0

    def start(self) -> None:
        """Launch the run host; raises `OSError`."""
        place = str(self.folder.path)
        extra = {
            NONCE_VARIABLE: hashlib.sha256(place.encode()).hexdigest()[:32],
            RUN_DIR_VARIABLE: place,
        }
        self._process = spawn(
            python_module("training_engine", place, *self._child),
            cwd=self.folder.path,
            env=environment(extra=extra),
            output=self.folder.path / HOST_OUTPUT_FILE,
        )

    def interrupt(self) -> str:
        """Ask it to end: save first, then at once, then by signal; returns what was done."""
        self._interruptions += 1
        if self._interruptions == 1:
            self.folder.command(STOP_AND_SAVE_COMMAND)
            return "Saving a checkpoint, then stopping. Once more to stop without it."
        if self._interruptions == 2:
            self.folder.command(STOP_COMMAND)
            return "Stopping without a checkpoint. Once more to end it at once."
        if self._process is not None:
            self._process.terminate()
        return "Ending it."

    def follow(self, tell: Tell, look: Callable[[], None] = lambda: None) -> Ending:
        """Tell every event until the run host has ended; `look` is called between."""
        assert self._process is not None
        offset, alive = 0, True
        while alive:
            alive = self._process.poll() is None  # asked first, so that the last events are read
            look()
            offset = self._read(offset, tell)
            if alive:
                time.sleep(LOOK_EVERY_S)
        return ending_of(self.folder)

    def _read(self, offset: int, tell: Tell) -> int:
        while True:
            events, end = read_events(self.folder.events_file, offset)
            for placed in events:
                tell(placed.event)
            if end == offset:
                return offset
            offset = end


def ending_of(folder: RunFolder) -> Ending:
    """Its last event, else its exit record, else what the run host complained."""
    last = last_event(folder.events_file)
    if isinstance(last, Finished):
        return Ending(ExitCode.FINISHED, last=last)
    if isinstance(last, Stopped):
        return Ending(ExitCode.STOPPED, last=last)
    facts: dict[str, Any] = folder.exit_facts() or {}
    if isinstance(last, Failed):
        refused = facts.get("exit_code") == ExitCode.SPEC_REFUSED
        code = ExitCode.SPEC_REFUSED if refused else ExitCode.FAILED
        return Ending(code, last.message, last.hint, last)
    hint = "The last lines of its log show what happened."
    if facts.get("signal"):
        return Ending(ExitCode.FAILED, f"The engine was ended by signal {facts['signal']}.", hint)
    if facts.get("exit_code") is not None:
        return Ending(ExitCode.FAILED, f"The engine ended with code {facts['exit_code']}.", hint)
    return Ending(ExitCode.FAILED, _complaint(folder.path / HOST_OUTPUT_FILE), hint)


def _complaint(file: Path) -> str:
    try:
        lines = file.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "The run host ended without a word."
