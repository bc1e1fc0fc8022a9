"""The data folder: made, checked, and used by one platform at a time."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"
PRIVATE = ("datasets", "models", "runs", "sockets")
MIN_FREE_BYTES = 300 * 1024**2


class BadDataDir(Exception):
    """The data folder can not be used; the message is the line the user reads."""


def prepare(data_dir: Path) -> None:
    """Make the folder if needed, and see that something can be written there."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            data_dir.chmod(0o711)  # started by root, the database has a user of its own
        for name in PRIVATE:  # people's data and models: not for other users of this machine
            (data_dir / name).mkdir(exist_ok=True)
            (data_dir / name).chmod(0o700)
        free = shutil.disk_usage(data_dir).free
        if free < MIN_FREE_BYTES:
            raise BadDataDir(
                f"The disk is full: {free // 1024**2} MB are free in {data_dir}, EasyTune needs "
                f"{MIN_FREE_BYTES // 1024**2} MB to start. Make room, or set EASYTUNE_DATA_DIR."
            )
        with tempfile.TemporaryFile(dir=data_dir) as probe:
            probe.write(b"x" * 4096)
            probe.flush()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise BadDataDir(
                f"The disk is full: nothing can be written in {data_dir}. Make room, or set "
                "EASYTUNE_DATA_DIR."
            ) from error
        raise BadDataDir(
            f"The data folder {data_dir} can not be written: {error.strerror}. Give its user the "
            "right, or set EASYTUNE_DATA_DIR to another folder."
        ) from error


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Be the only one who runs the platform on this folder; raises `BadDataDir`.

    The kernel lets go of the lock when the process ends, however it ends.
    """
    path = data_dir / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise BadDataDir(
                f"EasyTune already runs on {data_dir} (process {owner}); stop that one first, or "
                "set EASYTUNE_DATA_DIR to another folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)
