"""Starting and stopping the server."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from backend.embedded_postgres import cluster, leftover, place
from backend.embedded_postgres.credentials import Credentials
from backend.embedded_postgres.failure import EmbeddedPostgresError, sentence

PR_SET_PDEATHSIG = 1
START_TIMEOUT_S = 120.0  # recovery after a power cut may take a while
STOP_TIMEOUT_S = 10.0
ATTEMPTS = 5
MAX_LOG_BYTES = 10 * 1024**2
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class EmbeddedPostgres:
    """One server of one data folder; ends with this process, even when that is killed.

    Start it from the main thread: the kernel's notice of the parent's death follows the thread
    that forked. The caller sees to it that only one process does this for a data folder.
    """

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self._data_dir = data_dir
        self._options = {**OPTIONS, **(options or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._credentials: Credentials | None = None

    @property
    def url(self) -> str:
        """Address for the application; only while it runs."""
        return self._known().url()

    @property
    def superuser_url(self) -> str:
        """Address for administration; only while it runs."""
        return self._known().superuser_url()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it was started and is no more."""
        return self._process is not None and self._process.poll() is not None

    def _known(self) -> Credentials:
        assert self._credentials is not None, "not started"
        return self._credentials

    def start(self) -> Self:
        """Make the files at the first start, then run; raises `EmbeddedPostgresError`."""
        try:
            where = place.choose(self._data_dir)
            credentials = Credentials.load(where.home)
            if credentials is None:
                if where.cluster.exists():
                    raise EmbeddedPostgresError(
                        f"The passwords of the database are missing ({where.home}/connection.json);"
                        " restore that file from a backup."
                    )
                credentials = Credentials().save(where.home)
            sync = self._options.get("fsync") != "off"
            cluster.create(where, credentials, sync=sync)
            leftover.clear(where.cluster)
            self._credentials = credentials = self._run(where, credentials)
            if not credentials.prepared:
                cluster.prepare(where, credentials)
                self._credentials = credentials.with_(prepared=True).save(where.home)
        except OSError as error:
            self.stop()
            raise EmbeddedPostgresError(sentence(error, self._data_dir)) from error
        except BaseException:
            self.stop()
            raise
        return self

    def _run(self, where: place.Place, credentials: Credentials) -> Credentials:
        """Start on the kept port, or on another when that is taken or a start failed."""
        reason, wanted = "", credentials.port
        for _ in range(ATTEMPTS):
            port = _free_port(wanted)
            log, begin = self._spawn(where, port)
            if _wait_until_ready(self.process, where.cluster):
                return credentials.with_(port=port, server_pid=self.pid).save(where.home)
            reason = _last_words(log, begin)
            if "No space left on device" in reason:
                raise EmbeddedPostgresError(
                    f"The disk is full: no space left for the database in {where.cluster}."
                )
            if "shared memory block" in reason:  # children of a killed server are still ending
                time.sleep(1)
            elif "could not bind" in reason:
                wanted = 0
            else:
                break
        raise EmbeddedPostgresError(f"The database does not start: {reason} (see {log})")

    async def start_again(self) -> None:
        """Like `start` on the same port, for a server that ended by itself; from the main thread.

        Only the fork happens here, the waiting elsewhere: requests go on being answered.
        """
        where, credentials = place.choose(self._data_dir), self._known()
        for _ in range(ATTEMPTS):
            await asyncio.to_thread(leftover.clear, where.cluster)
            log, begin = self._spawn(where, credentials.port)
            if await asyncio.to_thread(_wait_until_ready, self.process, where.cluster):
                self._credentials = credentials.with_(server_pid=self.pid).save(where.home)
                return
            reason = _last_words(log, begin)
            await asyncio.sleep(1)
        raise EmbeddedPostgresError(f"The database does not start: {reason} (see {log})")

    def _spawn(self, where: place.Place, port: int) -> tuple[Path, int]:
        """Start the process; returns its log and where in it this start begins."""
        log = where.home / "server.log"
        if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(log, flags, 0o600), "ab") as output:
            begin = output.tell()
            self._process = self._popen(where, port, output.fileno())
        return log, begin

    def _popen(self, where: place.Place, port: int, output: int) -> subprocess.Popen[bytes]:
        command = [where.program("postgres"), "-D", str(where.cluster), "-p", str(port)]
        for name, value in self._options.items():
            command += ["-c", f"{name}={value}"]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=cluster.ENVIRONMENT,
            start_new_session=True,  # Ctrl-C reaches the owner first, who ends it in order
            preexec_fn=_end_with_parent(),
            **cluster.as_owner(where),
        )

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything is written."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(STOP_TIMEOUT_S)
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _end_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes PostgreSQL; after it has dropped to its user, because
    a change of user clears the wish. Elsewhere than on Linux the next start ends a leftover."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != parent:  # it died before the wish was known
            os._exit(1)

    return ask


def _free_port(kept: int) -> int:
    for wanted in (kept, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedPostgresError("There is no free port on 127.0.0.1 for the database.")


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> bool:
    """Whether it came up; its own pid file says when it takes connections."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        if leftover.state(folder) == (process.pid, "ready"):
            return True
        time.sleep(0.01)
    process.send_signal(signal.SIGQUIT)
    process.wait(STOP_TIMEOUT_S)
    return False


def _last_words(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode(errors="replace").strip().splitlines()
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line or "could not" in line]
    return " / ".join(fatal[-2:] or lines[-1:]) or "it gave no reason"
