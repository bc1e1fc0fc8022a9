"""Failpoints: named places in crash windows, where a drill can ask for a fault. Off by default.

The variable EASYTUNE_FAILPOINTS holds `NAME:ACTION` pairs, separated by commas:

    kill9              this process is killed
    exit               it ends at once, without clean-up
    error[:NAME]       `OSError`, ENOSPC unless another one of `errno` is named
    pause:SECONDS      it waits here

`#N` behind an action means: at the N-th time that this process comes by, not at the others.
`@FILE` means: once over all processes; whoever can make FILE is the one. `docs/reliability.md`
lists the places. Standard library only: the run host comes by too.
"""

import errno
import os
import signal
import time
from pathlib import Path

VARIABLE = "EASYTUNE_FAILPOINTS"

# Every place there is; `reach` is called with each of them somewhere, and with no other name.
NAMES = frozenset(
    {
        # The backend: from the queue to a process.
        "claim.committed",  # the row says PREPARING, nothing is launched
        "launch.prepared",  # the folder and its spec are there
        "launch.allowed",  # the lease was looked at for the last time
        "launch.forked",  # the run host was started
        # The backend: what it writes down.
        "request.before_commit",  # a request with an Idempotency-Key has done its work
        "request.committed",  # … which is committed, and not answered
        "ingest.before_commit",
        "ingest.committed",
        "stop.given",  # the command lies in the run folder
        "finish.judged",  # it is known how the attempt ended, nothing is written
        "finish.before_commit",  # the terminal move and the feature's outcome are written
        "finish.committed",
        # The run host.
        "host.locked",  # it holds the lock and has not said who it is
        "host.identified",
        "host.forked",  # the engine was started, `identity.json` does not name it
        "host.log_write",
        "host.before_exit_record",
        "host.exit_recorded",
        # The engine.
        "engine.started",
        "engine.step",  # between two steps
        "engine.event",  # before an event is appended
        "engine.before_finished",  # the result is written, the last event is not
        "checkpoint.begun",  # C1: the temporary folder exists
        "checkpoint.written",  # C1: all its files do
        "checkpoint.sync",  # C2, C4: before anything is flushed
        "checkpoint.described",  # C3: the manifest is written, not flushed
        "checkpoint.before_rename",  # C4: flushed
        "checkpoint.renamed",  # C4: its folder's entry is not flushed
        "checkpoint.committed",  # C4 is done, nobody was told
        "checkpoint.told",  # C5: the event is written
        "checkpoint.before_prune",  # C7
    }
)
EXIT_CODE = 70


class BadFailpoints(ValueError):
    """The variable names a place or an action that does not exist."""


class Point:
    """What is to happen at one place; no dataclass, whose import the run host would pay for."""

    def __init__(self, action: str, value: str, at: int | None, marker: Path | None) -> None:
        self.action, self.value, self.at, self.marker = action, value, at, marker
        self.seen = 0

    def is_due(self) -> bool:
        """Whether this is the time; counts it."""
        self.seen += 1
        if self.at is not None and self.seen != self.at:
            return False
        if self.marker is None:
            return True
        try:
            self.marker.open("x").close()
        except FileExistsError:
            return False
        return True

    def act(self, name: str) -> None:
        """Do it; raises `OSError` when that is what was asked for."""
        match self.action:
            case "kill9":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(EXIT_CODE)
            case "pause":
                time.sleep(float(self.value))
            case _:
                number = getattr(errno, self.value or "ENOSPC")
                raise OSError(number, f"{os.strerror(number)} (failpoint {name})")


def parse(text: str) -> dict[str, Point]:
    """Places and what is to happen there; raises `BadFailpoints` with a sentence."""
    found: dict[str, Point] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        rest, _, marker = pair.partition("@")
        rest, counted, at = rest.partition("#")
        name, _, rest = rest.partition(":")
        action, _, value = rest.partition(":")
        if name not in NAMES:
            raise BadFailpoints(f"{VARIABLE}: there is no failpoint {name!r}.")
        right = _fits(action, value) and (not counted or at.isdecimal())
        if not right:
            raise BadFailpoints(f"{VARIABLE}: {pair!r} is not NAME:ACTION[:VALUE][#N][@FILE].")
        found[name] = Point(
            action, value, int(at) if counted else None, Path(marker) if marker else None
        )
    return found


def _fits(action: str, value: str) -> bool:
    match action:
        case "pause":
            return value.replace(".", "", 1).isdecimal()
        case "error":
            return not value or isinstance(getattr(errno, value, None), int)
        case "kill9" | "exit":
            return not value
        case _:
            return False


_points: dict[str, Point] | None = None if os.environ.get(VARIABLE) else {}


def check() -> None:
    """For the start of a program: raises `BadFailpoints` when the variable is wrong."""
    parse(os.environ.get(VARIABLE, ""))


def arm(text: str) -> None:
    """Have these failpoints, and no others, in this process; an empty text disarms all."""
    global _points
    _points = parse(text)


def reach(name: str) -> None:
    """Come by a place: nothing happens unless a drill asked for it."""
    if _points is None:
        arm(os.environ.get(VARIABLE, ""))
    if _points and (point := _points.get(name)) is not None and point.is_due():
        point.act(name)
