"""Starts programs of the platform: argument lists, own session, no descriptors, few variables.

No shell, no secret and no text of a user's in arguments or environment.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from backend.settings import PROJECT_ROOT
from training_engine.contract import failpoints

# What an engine may know of our environment. Everything else stays here.
ALLOWED = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "HF_HOME",
        "XDG_CACHE_HOME",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "ROCR_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES",
        "PYTORCH_ALLOC_CONF",
        "PYTORCH_CUDA_ALLOC_CONF",
        "PYTORCH_MPS_HIGH_WATERMARK_RATIO",
        failpoints.VARIABLE,
    }
)
ALLOWED_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "NCCL_")
# Only for jobs that reach the network.
ALLOWED_ONLINE = frozenset(
    {
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "all_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "HF_ENDPOINT",
    }
)
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
OOM_SCORE_FILE = "/proc/{pid}/oom_score_adj"


def environment(*, online: bool = False, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a child sees: the allow-list, hubs switched off unless `online`, and `extra`.

    Imports resolve against this installation, never against the working folder, which belongs to
    the child.
    """
    names = ALLOWED | ALLOWED_ONLINE if online else ALLOWED
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in names or name.startswith(ALLOWED_PREFIXES)
    }
    fixed = {
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }
    return {**kept, **fixed, **({} if online else OFFLINE), **(extra or {})}


def python_module(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this installation."""
    return [sys.executable, "-m", module, *arguments]


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Path | None = None,
    oom_score: int = 0,
    niceness: int = 0,
) -> subprocess.Popen[bytes]:
    """Start `argv` in a new session, detached from this process's life; raises `OSError`.

    `output` receives what it prints (appended), else nobody does. `oom_score` (0–1000) makes the
    kernel choose it before the backend when memory runs out; `niceness` leaves the processor to
    the web pages.
    """
    with (output or Path(os.devnull)).open("ab") as sink:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            close_fds=True,
        )
    # From here, not in the child: code between fork and exec is unsafe beside threads. A child
    # that is already gone, or a kernel that refuses, is no reason to fail.
    if oom_score:
        set_oom_score(process.pid, oom_score)
    with suppress(OSError):
        if niceness:
            os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
    return process


def set_oom_score(pid: int, score: int) -> None:
    """How readily the kernel chooses a process when memory runs out: -1000 never to 1000 first.

    No failure where it is not allowed: lowering below what was set before needs rights.
    """
    with suppress(OSError):
        Path(OOM_SCORE_FILE.format(pid=pid)).write_text(str(score))


def own_oom_score() -> int:
    """The score of this process; 0 where there is none."""
    try:
        return int(Path(OOM_SCORE_FILE.format(pid="self")).read_text())
    except (OSError, ValueError):
        return 0


class Detached:
    """A child that is meant to outlive us: it may be asked for, and need never be waited for."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pid = process.pid
        self._ended = process.poll() is not None
        if not self._ended:
            process.returncode = 0  # forgotten by its module, which would warn that it still runs

    def ended(self) -> bool:
        """Whether it is gone; looking leaves no zombie."""
        if not self._ended:
            try:
                self._ended = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            except ChildProcessError:  # somebody else has looked
                self._ended = True
        return self._ended
