"""Backends that begin with everything imported: drills start more than a hundred of them.

`python -m tests.drills.nursery` imports the backend once. For each line that it is given, a JSON
object of variables and the file for output, it forks one that runs `easytune up` with them, and
says its number; later it says how it ended. Each has its own memory, files and life; only the
seconds that the imports take are shared.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from backend.settings import PROJECT_ROOT
from training_engine.contract import failpoints


class Backend:
    """One that was forked; the part of `subprocess.Popen` that drills use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.ended: SimpleQueue[int] = SimpleQueue()

    def poll(self) -> int | None:
        """How it ended, or None while it lives."""
        return self._ended(0)

    def wait(self, timeout: float) -> int:
        """Wait for its end; raises `subprocess.TimeoutExpired`."""
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired("easytune up", timeout)
        return code

    def _ended(self, timeout: float) -> int | None:
        if self.returncode is None:
            try:
                self.returncode = self.ended.get(timeout > 0, timeout)
            except Empty:
                return None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    """Starts backends; ends with all of them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.drills.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT_ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT)},
        )
        self._born: SimpleQueue[Backend] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, variables: dict[str, str], log: Path) -> Backend:
        """Fork one."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"variables": variables, "log": str(log)}) + "\n")
        self._process.stdin.flush()
        return self._born.get(timeout=120)

    def close(self) -> None:
        """End it, and the backends that are left."""
        self._process.kill()
        self._process.communicate()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        living: dict[int, Backend] = {}
        for line in self._process.stdout:
            told = json.loads(line)
            if "code" in told:
                living.pop(told["pid"]).ended.put(told["code"])
            else:
                living[told["pid"]] = Backend(told["pid"])
                self._born.put(living[told["pid"]])


def wait_for_orders() -> dict[str, Any]:
    """Fork for each line of stdin and tell of each end; returns in the forks, with their order."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    pending = b""
    while True:
        ready, _, _ = select.select([0, read], [], [])
        if read in ready:
            os.read(read, 4096)
            _tell_of_the_ended()
        if 0 in ready:
            pending += (chunk := os.read(0, 65536))
            if not chunk:
                sys.exit()
        *lines, pending = pending.split(b"\n")
        for line in lines:
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.close(read)
                os.close(write)
                order: dict[str, Any] = json.loads(line)
                return order
            _say(pid=pid)


def _tell_of_the_ended() -> None:
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _say(pid=ended[0], code=os.waitstatus_to_exitcode(ended[1]))
    except ChildProcessError:
        return


def _say(**what: int) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def as_if_started(variables: dict[str, str], log: str) -> None:
    """What the start of a program sets: its variables, and where it reads and writes."""
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    for name, flags, numbers in (
        (os.devnull, os.O_RDONLY, (0,)),
        (log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, (1, 2)),
    ):
        opened = os.open(name, flags, 0o600)
        for number in numbers:
            os.dup2(opened, number)
        os.close(opened)
    failpoints.arm(variables.get(failpoints.VARIABLE, ""))


if __name__ == "__main__":
    import backend.app
    import backend.commands.up  # noqa: F401 - what takes its time
    from tests.drills.backend import end_with_parent, main

    end_with_parent()
    as_if_started(**wait_for_orders())
    main()
