"""The engine process of a run host: its start, its environment.

Everything here runs in one thread: PR_SET_PDEATHSIG watches the thread that forked, not the
process, so a thread that ends would end the engine.
"""

import ctypes
import fcntl
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from training_engine.confinement import confine
from training_engine.contract.names import NONCE_VARIABLE, OUTPUTS_VARIABLE, RUN_DIR_VARIABLE
from training_engine.run_host.survivors import PROC, stat_fields
from training_engine.tuning import engine_variables

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
F_SETPIPE_SZ, F_GETPIPE_SZ = 1031, 1032
PIPE_BYTES, SMALLEST_PIPE_BYTES = 1024 * 1024, 4096


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def become_subreaper() -> None:
    """Orphaned descendants become children of this process, so that they can be reaped."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent() -> None:
    """Be killed when the process that started this one dies; for between fork and exec."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def environment(run_dir: Path, nonce: str, outputs: int) -> dict[str, str]:
    """What the child sees: the host's variables, tuning it may override, its folder and nonce."""
    given = {RUN_DIR_VARIABLE: str(run_dir), NONCE_VARIABLE: nonce, "PYTHONUNBUFFERED": "1"}
    given[OUTPUTS_VARIABLE] = str(outputs)
    return {**engine_variables(), **os.environ, **given}


def start(module: str, run_dir: Path, nonce: str, outputs: int) -> tuple[int, int, int]:
    """Fork and run `python -m module run_dir`; returns pid and the read ends of its two pipes.

    `outputs` is its side of the socket on which members of a group hand over theirs.
    The child is confined, has its own session and no input, and gets SIGTERM when this process
    dies.
    """
    argv = [sys.executable, "-m", module, str(run_dir)]
    variables = environment(run_dir, nonce, outputs)
    host = os.getpid()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != host:  # it died before the line above
                os._exit(1)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for source, target in ((nothing, 0), (out_write, 1), (err_write, 2)):
                os.dup2(source, target)
            os.set_inheritable(outputs, True)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            confine()
            os.execve(argv[0], argv, variables)  # noqa: S606
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(1)
    os.close(out_write)
    os.close(err_write)
    return pid, out_read, err_read


def widen(descriptor: int) -> int:
    """Let the kernel hold more of a flood; returns how many bytes it does hold.

    Refused where the limit is lower, which is no harm.
    """
    if sys.platform != "linux":
        return SMALLEST_PIPE_BYTES
    with suppress(OSError):
        return fcntl.fcntl(descriptor, F_SETPIPE_SZ, PIPE_BYTES)
    with suppress(OSError):
        return fcntl.fcntl(descriptor, F_GETPIPE_SZ)
    return SMALLEST_PIPE_BYTES


def start_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None without /proc."""
    fields = stat_fields(pid)
    return int(fields[19]) if fields else None


def boot_id() -> str:
    """Differs after every start of the machine; empty where the system does not tell."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
