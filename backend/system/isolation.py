"""What holds a training process back on this host, and whether it outlives the backend.

Only what is really in force is listed as reached; what the kernel could do is listed beside it.
"""

import ctypes
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from backend.settings import PROJECT_ROOT
from backend.system import survival

CONFINEMENT_MODULE = "training_engine.confinement"
CONFINEMENT_TIMEOUT_S = 20.0
SYS_LANDLOCK_CREATE_RULESET = 444
LANDLOCK_CREATE_RULESET_VERSION = 1


@dataclass(frozen=True)
class Isolation:
    """`reached` are codes; `survives_restart` is None where it can not be known."""

    reached: list[str]
    landlock_version: int
    uid: int
    no_new_privs: bool
    container: bool
    survives_restart: bool | None
    restart_hint: str | None


@cache
def isolation() -> Isolation:
    """The facts of this process, which training processes inherit, and what they add at start."""
    confined = engine_confinement()
    container = survival.in_container()
    survives, hint = survival.survives_restart()
    reached = ["own_session", "environment_allow_list", "no_shell", *confined]
    if os.geteuid() != 0:
        reached.append("not_root")
    if container:
        reached.append("container")
    return Isolation(
        reached=reached,
        landlock_version=_landlock_version(),
        uid=os.geteuid(),
        no_new_privs="no_new_privs" in confined,
        container=container,
        survives_restart=survives,
        restart_hint=hint,
    )


@cache
def engine_confinement() -> tuple[str, ...]:
    """Codes of what an engine process finds in force after it confined itself; asked of one."""
    try:
        answer = subprocess.run(
            [sys.executable, "-m", CONFINEMENT_MODULE],
            cwd=PROJECT_ROOT,
            capture_output=True,
            check=True,
            timeout=CONFINEMENT_TIMEOUT_S,
        )
        return tuple(json.loads(answer.stdout))
    except (OSError, ValueError, subprocess.SubprocessError):  # nothing is proved, so nothing holds
        return ()


def _landlock_version() -> int:
    """Version of the kernel's Landlock interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(SYS_LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    return max(0, int(version))
