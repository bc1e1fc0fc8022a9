"""Being process 1 of a container: collects what others leave behind, and ends everything in order.

The kernel gives every orphan to process 1, and an orphan that ended stays a zombie until process 1
asks for it. The platform itself can not do that: it would take the ends of its own children away
from whoever waits for them. So it becomes a child of this, which does nothing else.

With process 1 the kernel ends the whole container. So what still runs when the platform has ended
(run hosts and their engines) is told to end as well, and has time to save a checkpoint.
"""

import contextlib
import os
import signal
import sys
import time
from types import FrameType

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
# As long as a run has to save a checkpoint; most containers' own patience ends earlier.
OTHERS_END_S = 120.0
LOOK_EVERY_S = 0.05


def step_aside() -> None:
    """Return in a child process when this is process 1; else do nothing.

    Process 1 stays here, and ends with the child's exit code (128 + signal when one killed it).
    """
    if os.getpid() != 1:
        return
    child = os.fork()
    if child == 0:
        # Ctrl-C at a terminal then reaches it once, passed on, and not a second time by itself.
        os.setsid()
        return
    os._exit(_look_after(child))


def _look_after(child: int) -> int:
    def forward(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in FORWARDED:
        signal.signal(number, forward)
    status = _collect_until(child)
    code = os.waitstatus_to_exitcode(status)
    _end_others()
    return code if code >= 0 else 128 - code


def _collect_until(child: int) -> int:
    """Collect whatever ends; the status of `child` once that is it."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return status


def _end_others() -> None:
    """Ask everybody in this container to end, and collect them for `OTHERS_END_S` at most."""
    # Who was not started by us (another shell in the container) is ended by the kernel anyway.
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGTERM)
    deadline = time.monotonic() + OTHERS_END_S
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            time.sleep(LOOK_EVERY_S)
    print("Some processes did not end in time.", file=sys.stderr)  # noqa: T201
