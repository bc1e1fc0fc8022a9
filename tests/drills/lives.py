"""The lives of a platform: a backend process, a data folder, a database server, and their ends.

The database is a real server of the drill's own, reached through a proxy, so that it can be
killed, restarted and cut off apart from the backend. The backend keeps its port over restarts.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from backend.embedded_postgres import EmbeddedPostgres
from backend.jobs.run_folder import RunFolder
from backend.settings import PROJECT_ROOT
from tests.conftest import FAST
from tests.drills.nursery import Backend, Nursery
from tests.drills.proxy import Proxy
from training_engine.contract.failpoints import VARIABLE
from training_engine.contract.names import RUN_DIR_VARIABLE

QUICK = {"tick_live_s": 0.1, "tick_idle_s": 0.5, "retry_s": 0.3, "trouble_s": 0.2, "orphan_s": 3.0}
DRILL_ENGINE = "tests.drills.engine"
REAL_ENGINE = "training_engine.train"
PATIENCE_S = 90.0


def busy(seconds: float) -> float:
    """Seconds of a quiet machine as seconds of this one: processes wait for their turn."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """Poll until something holds; returns it. Connections that fail count as "not yet"."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if found := true():
                return found
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, f"it never happened: {what}"
        time.sleep(0.05)


class Lives:
    """One data folder and one database for several lives of the backend."""

    def __init__(self, disk_mb: int = 0) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="easytune-drill-"))
        self.home.chmod(0o711)
        self.data_dir = self.home / "data"
        self.own_disk = bool(disk_mb) and self._mount(disk_mb)
        self.models = self.home / "models"
        self.log = self.home / "backend.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | Backend | None = None
        self.nursery = Nursery()
        # A crash of the server must not take what was committed; a power cut is not drilled here.
        options = {**FAST, "synchronous_commit": "on"}
        self.database = EmbeddedPostgres(self.home / "database", options)
        (self.home / "database").mkdir()
        (self.home / "database").chmod(0o711)
        self.database.start()
        place = urlsplit(self.database.url)
        self.proxy = Proxy((place.hostname or "127.0.0.1", place.port or 5432))
        credentials, _, _ = place.netloc.rpartition("@")
        self.database_url = place._replace(
            netloc=f"{credentials}@127.0.0.1:{self.proxy.port}"
        ).geturl()
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}/api/v1",
            headers={"X-EasyTune": "1"},
            timeout=60,
        )
        self.body: dict[str, Any] = {}
        self.created = 0
        self.usual = True

    def _mount(self, size_mb: int) -> bool:
        """A small disk of its own for the data folder, where mounting is allowed."""
        self.data_dir.mkdir(mode=0o711)
        argv = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(self.data_dir)]
        return os.geteuid() == 0 and not subprocess.run(argv, capture_output=True).returncode

    # --- its lives ---

    def start(
        self,
        *,
        engine: str = DRILL_ENGINE,
        failpoints: str = "",
        wait: bool = True,
        wrapper: tuple[str, ...] = (),
        timeouts: dict[str, float] | None = None,
        **more: str,
    ) -> None:
        """Start the backend; returns when it is ready, unless it is not waited for."""
        self.usual = engine == DRILL_ENGINE and not (failpoints or wrapper or timeouts or more)
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONPATH": str(PROJECT_ROOT),
            "EASYTUNE_DATA_DIR": str(self.data_dir),
            "EASYTUNE_PORT": str(self.port),
            "EASYTUNE_DATABASE_URL": self.database_url,
            "EASYTUNE_MODEL_ROOTS": str(self.models),
            "EASYTUNE_TRAINING_SLOTS": "3",
            "EASYTUNE_OFFLINE": "true",
            "DRILL_ENGINE": engine,
            "DRILL_TIMEOUTS": json.dumps({**QUICK, **(timeouts or {})}),
            **({VARIABLE: failpoints} if failpoints else {}),
            **more,
        }
        self.process = self._from_scratch(wrapper, variables) if wrapper else None
        self.process = self.process or self.nursery.start(variables, self.log)
        if wait:
            self.ready()

    def _from_scratch(
        self, wrapper: tuple[str, ...], variables: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        """A program of its own from its beginning, started by another one."""
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [*wrapper, sys.executable, "-m", "tests.drills.backend"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_ROOT,
                env=variables,
            )

    def ready(self) -> None:
        """Wait until it answers."""

        def answers() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200

        wait_until(answers, "ready")

    @property
    def alive(self) -> bool:
        """Whether the backend runs."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send the backend a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self.alive:
            self.signal(signal.SIGKILL)
        self.gone()

    def gone(self, timeout_s: float = 60) -> int:
        """Wait until the backend has ended; its exit code."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def again(self, **options: Any) -> None:
        """kill -9 and start."""
        self.kill()
        self.start(**options)

    def as_usual(self) -> None:
        """Whatever the drill before left: everything runs and nothing is in the way."""
        self.proxy.mend()
        ended = self.database.has_ended
        if ended:
            self.start_database()
        if ended or not self.usual or not self.alive:
            self.again()

    def start_database(self) -> None:
        """Start the database server again after it was ended."""
        # From the main thread: the server ends with the thread that started it.
        asyncio.run(self.database.start_again())

    def close(self) -> None:
        """End everything and remove the folder."""
        if self.process is not None:
            if self.alive:
                self.signal(signal.SIGCONT)
            self.kill()
        self.nursery.close()
        for process in self.descendants():
            process.kill()
        self.http.close()
        self.proxy.close()
        self.database.stop()
        if self.own_disk:
            subprocess.run(["umount", "--lazy", str(self.data_dir)], check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def descendants(self, folder: RunFolder | None = None) -> list[psutil.Process]:
        """Everything that lives and belongs to a run of this platform, zombies too."""
        mark = str(folder.path if folder else self.data_dir / "runs")
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(RUN_DIR_VARIABLE, "").startswith(mark):
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found
