"""What an earlier server left: a pid file that lies, or a server that still runs."""

import signal
from pathlib import Path

import psutil

from backend.embedded_postgres.failure import EmbeddedPostgresError

PID_FILE = "postmaster.pid"
STATUS_LINE = 7
END_TIMEOUT_S = 30.0


def state(cluster: Path) -> tuple[int, str] | None:
    """Process id and status (`starting`, `ready`, `stopping`) in the pid file, or None."""
    try:
        lines = (cluster / PID_FILE).read_text().splitlines()
        return int(lines[0]), lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else ""
    except (FileNotFoundError, ValueError, IndexError):
        return None


def clear(cluster: Path) -> None:
    """End a server of this cluster that outlived its owner; remove a pid file that names none.

    PostgreSQL only looks whether the number is in use: by a zombie or by any other program it
    would be kept from starting.
    """
    server = _server_of(cluster)
    if server is not None:
        _end(server, cluster)
    (cluster / PID_FILE).unlink(missing_ok=True)


def _server_of(cluster: Path) -> psutil.Process | None:
    found = state(cluster)
    if found is None or found[0] < 2:
        return None
    try:
        process = psutil.Process(found[0])
        if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return None
        # The server works in its data folder; that of a stranger is another one.
        return process if Path(process.cwd()).samefile(cluster) else None
    except (psutil.Error, OSError):
        return None


def _end(server: psutil.Process, cluster: Path) -> None:
    for order in (signal.SIGINT, signal.SIGQUIT):  # fast, then at once
        try:
            server.send_signal(order)
            server.wait(END_TIMEOUT_S)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue
        except psutil.AccessDenied as error:
            raise EmbeddedPostgresError(
                f"A database server (process {server.pid}) still uses {cluster} and belongs to "
                "another user; stop it first."
            ) from error
        return
    raise EmbeddedPostgresError(f"A database server (process {server.pid}) does not end; kill it.")
