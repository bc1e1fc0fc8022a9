"""A unix socket that only its owner can open, and that no dead process blocks."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class SocketUnusable(Exception):
    """The socket can not be opened; the text says why and what to do."""


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A listening socket at `path`, mode 0600, removed at the end; raises `SocketUnusable`."""
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise SocketUnusable(f"{path} can not be opened: {error.strerror or error}.") from error
    finally:
        os.umask(mask)
    created = path.stat().st_ino
    listener.listen(128)
    try:
        yield listener
    finally:
        listener.close()
        with suppress(OSError):
            if path.stat().st_ino == created:
                path.unlink()


def _remove_stale(path: Path) -> None:
    """Remove what a dead worker left; raises `SocketUnusable` when a living one answers."""
    if not path.is_socket():
        if path.exists():
            raise SocketUnusable(f"{path} exists and is no socket; choose another path.")
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError as error:
            if error.errno == errno.ECONNREFUSED:
                path.unlink(missing_ok=True)
                return
            if error.errno == errno.ENOENT:
                return
            raise SocketUnusable(f"{path} can not be used: {error.strerror}.") from error
    raise SocketUnusable(f"Another worker answers at {path}; stop it first.")
