"""What the nemesis does. Each fault also ends: when it returns, nothing is broken any more."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from tests.drills.platform import Platform
from tests.drills.proxy import Proxy
from training_engine.contract.failpoints import NAMES
from training_engine.contract.names import RUN_DIR_VARIABLE

FILLING = "filled-by-the-nemesis"
# Those that the drill engine comes by, too.
ENGINES = {
    "checkpoint.before_rename",
    "checkpoint.told",
    "engine.before_finished",
    "engine.event",
    "engine.started",
    "engine.step",
}
OTHERS = ("claim.", "launch.", "request.", "ingest.", "stop.", "finish.", "host.")
WINDOWS = sorted(ENGINES | {name for name in NAMES if name.startswith(OTHERS)})
WINDOW_S = 6.0


class Faults:
    """Everything that can be done to a platform; `random` chooses lengths and victims."""

    def __init__(self, platform: Platform, web: Proxy, random: Random) -> None:
        self.platform, self.web, self.random = platform, web, random

    def choices(self) -> list[Callable[[], None]]:
        """The faults, the frequent ones several times."""
        return [
            self.kill_backend,
            self.kill_backend,
            self.pause_backend,
            self.end_backend,
            self.crash_in_a_window,
            self.crash_in_a_window,
            self.kill_engine,
            self.kill_engine,
            self.pause_engine,
            self.kill_run_host,
            self.pause_run_host,
            self.kill_database,
            self.cut_database,
            self.hold_database,
            self.cut_web,
            self.hold_web,
            self.fill_disk,
        ]

    def kill_backend(self) -> None:
        """kill -9, and start again."""
        self.platform.kill()
        time.sleep(self.random.uniform(0, 0.5))
        self.platform.start(wait=False)

    def crash_in_a_window(self) -> None:
        """Whoever comes by one of the failpoints first is killed there, and nobody after it."""
        place = self.random.choice(WINDOWS)
        marker = self.platform.home / f"once-{self.random.getrandbits(32):x}"
        self.platform.kill()
        self.platform.start(wait=False, failpoints=f"{place}:kill9@{marker}")
        deadline = time.monotonic() + WINDOW_S
        while not marker.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.platform.kill()
        self.platform.start(wait=False)

    def end_backend(self) -> None:
        """SIGTERM, and start again."""
        self.platform.signal(signal.SIGTERM)
        self.platform.gone()
        self.platform.start(wait=False)

    def pause_backend(self) -> None:
        """SIGSTOP for a while: its lease may go, its connections may time out."""
        self.platform.signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.2, 2.0))
        self.platform.signal(signal.SIGCONT)

    def kill_engine(self) -> None:
        """kill -9 of one engine."""
        self._to_one(engines=True, number=signal.SIGKILL)

    def kill_run_host(self) -> None:
        """kill -9 of one run host."""
        self._to_one(engines=False, number=signal.SIGKILL)

    def pause_engine(self) -> None:
        """SIGSTOP of one engine for a while."""
        self._pause(engines=True)

    def pause_run_host(self) -> None:
        """SIGSTOP of one run host for a while."""
        self._pause(engines=False)

    def kill_database(self) -> None:
        """As `pg_ctl stop -m immediate`, and start again."""
        self.platform.database.process.send_signal(signal.SIGQUIT)
        self.platform.database.process.wait(30)
        time.sleep(self.random.uniform(0, 1.0))
        self.platform.start_database()

    def cut_database(self) -> None:
        """Every connection to the database is reset; for a moment new ones are refused."""
        self.platform.proxy.cut(refuse=self.random.random() < 0.5)
        time.sleep(self.random.uniform(0, 0.7))
        self.platform.proxy.mend()

    def hold_database(self) -> None:
        """A black hole between backend and database."""
        self.platform.proxy.hold()
        time.sleep(self.random.uniform(0.2, 2.0))
        self.platform.proxy.mend()

    def cut_web(self) -> None:
        """Every connection of the browser is reset."""
        self.web.cut()

    def hold_web(self) -> None:
        """A black hole between browser and backend."""
        self.web.hold()
        time.sleep(self.random.uniform(0.2, 2.0))
        self.web.mend()

    def fill_disk(self) -> None:
        """The disk of the data folder is full for a moment; only where it is a disk of its own."""
        if not self.platform.own_disk:
            self.cut_web()
            return
        filling = self.platform.data_dir / FILLING
        try:
            with suppress(OSError), filling.open("wb", buffering=0) as file:
                for size in (1 << 20, 1 << 14, 1 << 10, 1):
                    with suppress(OSError):
                        while True:
                            file.write(b"\0" * size)
            time.sleep(self.random.uniform(0.2, 1.0))
        finally:
            filling.unlink(missing_ok=True)

    def _processes(self, *, engines: bool) -> list[psutil.Process]:
        found = []
        for process in self.platform.descendants():
            with suppress(psutil.Error, OSError):
                is_host = "training_engine" in process.cmdline() and "--child" in process.cmdline()
                marked = Path(process.environ()[RUN_DIR_VARIABLE]).is_dir()
                if marked and is_host is not engines:
                    found.append(process)
        return sorted(found, key=lambda process: process.pid)

    def _to_one(self, *, engines: bool, number: int) -> psutil.Process | None:
        found = self._processes(engines=engines)
        if not found:
            return None
        victim = self.random.choice(found)
        with suppress(psutil.NoSuchProcess):
            victim.send_signal(number)
        return victim

    def _pause(self, *, engines: bool) -> None:
        victim = self._to_one(engines=engines, number=signal.SIGSTOP)
        time.sleep(self.random.uniform(0.2, 1.5))
        if victim is not None:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGCONT)
