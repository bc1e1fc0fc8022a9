"""What an engine process may no longer do; set once at its start, inherited by all it starts.

Standard library only: the run host calls it between fork and exec. `python -m
training_engine.confinement` confines itself, looks, and prints what it found as JSON.
"""

import ctypes
import json
import os
import resource
import sys
from pathlib import Path

PR_SET_NO_NEW_PRIVS = 38
# Enough for the shards of a large model and the workers of a data loader, too few to exhaust the
# host.
OPEN_FILES = 8192
PRIVATE_UMASK = 0o077


def confine() -> None:
    """Gain no privileges (setuid programs lose their power), leave no core dumps, share no files.

    A core dump would hold the user's data. The number of processes is left alone: the kernel
    counts it per user, so a limit here would also count the database and the user's own programs.
    Raises `OSError` when the kernel refuses.
    """
    os.umask(PRIVATE_UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    allowed = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"no_new_privs: {os.strerror(number)}")


def in_force() -> list[str]:
    """Codes of what holds this process back now, as the system tells it."""
    found = []
    try:
        status = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # not Linux
        status = []
    if any(line.split() == ["NoNewPrivs:", "1"] for line in status):
        found.append("no_new_privs")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        found.append("no_core_dumps")
    umask = os.umask(PRIVATE_UMASK)
    os.umask(umask)
    if umask & PRIVATE_UMASK == PRIVATE_UMASK:
        found.append("private_files")
    return found


if __name__ == "__main__":
    confine()
    sys.stdout.write(json.dumps(in_force()) + "\n")
