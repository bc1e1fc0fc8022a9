"""Whether a training goes on when the platform is restarted by whoever started it.

Nothing is claimed that the layout of processes and control groups does not show.
"""

import os
import subprocess
import sys
from pathlib import Path

PROC = Path("/proc")
MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
ASK_TIMEOUT_S = 5.0
CONTAINER_HINT = (
    "Stopping or restarting this container ends its training runs; they save a checkpoint first "
    "and can be resumed. Let runs have a container of their own that stays: run `easytune worker` "
    "in it, with the same data folder and database."
)


def in_container() -> bool:
    """Whether a container runtime left its mark, or told it in the environment."""
    told = "container" in os.environ or "KUBERNETES_SERVICE_HOST" in os.environ
    return told or any(mark.exists() for mark in MARKS)


def survives_restart() -> tuple[bool | None, str | None]:
    """True, False, or None where it can not be known; and what to do unless it is True."""
    if sys.platform != "linux":
        return True, None
    if _ends_with_process_1():
        return False, CONTAINER_HINT
    unit, of_user = _unit()
    if unit is None:
        return True, None
    mode = _kill_mode(unit, of_user)
    if mode == "process":
        return True, None
    if mode is None:
        return None, f"Look with `systemctl show -p KillMode {unit}`; it must be process."
    return False, (
        f"{unit} has KillMode={mode}, which ends training runs with it; put KillMode=process into "
        "its [Service] section (`systemctl edit`), as deploy/easytune.service has it."
    )


def _ends_with_process_1() -> bool:
    """Whether we are process 1 of our namespace or the child that it runs for (an init, or our
    own): with it the kernel ends every process in there."""
    if os.getpid() == 1:
        return True
    if os.getppid() != 1:
        return in_container() and os.getppid() == 0
    return in_container() or _text(PROC / "1/cmdline") == _text(PROC / "self/cmdline")


def _unit() -> tuple[str | None, bool]:
    """The systemd service whose control group we are in, and whether it is a user's."""
    group = (_text(PROC / "self/cgroup") or "").strip().splitlines()
    path = group[-1].rpartition(":")[2] if group else ""
    name = path.rpartition("/")[2]
    if not name.endswith(".service") or name.startswith("user@"):
        return None, False
    return name, "/user@" in path


def _kill_mode(unit: str, of_user: bool) -> str | None:
    """As systemd has it, with all drop-ins; None where it does not answer."""
    whose = ["--user"] if of_user else []
    ask = ["systemctl", *whose, "show", "--property=KillMode", "--value", unit]
    try:
        answer = subprocess.run(
            ask, capture_output=True, text=True, check=True, timeout=ASK_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
