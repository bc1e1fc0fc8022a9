"""In a namespace with few process numbers: a recorded number becomes a stranger's. F10.

Started as `unshare --pid --fork --mount-proc python recycled_pid.py`; prints what became of it.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

from backend.processes.identity import ProcessIdentity, identify, is_alive
from backend.processes.stop import stop_tree

SLEEPER = [sys.executable, "-S", "-E", "-c", "import time; time.sleep(120)"]
FEW = 400
# The kernel begins again behind these: a lower number is given once only.
RESERVED = 300


def recycled(pid: int) -> subprocess.Popen[bytes]:
    """A process that was given the number."""
    for _ in range(20 * FEW):
        probe = subprocess.Popen(["sleep", "120"])
        if probe.pid == pid:
            return probe
        probe.kill()
        probe.wait()
    raise SystemExit("the number never came again")


def _newest() -> int:
    """The number that was given last in this namespace."""
    return int(Path("/proc/loadavg").read_text().split()[-1])


def main() -> None:
    """Record a process, let it die, wait for a decoy with its number, stop the recorded one."""
    Path("/proc/sys/kernel/pid_max").write_text(str(FEW))
    while subprocess.Popen(["true"]).wait() == 0 and _newest() <= RESERVED:
        pass
    recorded = subprocess.Popen(SLEEPER)
    identity = identify(recorded.pid)
    assert isinstance(identity, ProcessIdentity)
    recorded.kill()
    recorded.wait()
    decoy = recycled(recorded.pid)
    assert not is_alive(identity), "a stranger was taken for it"
    assert asyncio.run(stop_tree(identity, nonce="a nonce of nobody", grace_s=0.2))
    print("decoy lives" if decoy.poll() is None else "decoy was killed")
    decoy.kill()
    decoy.wait()


if __name__ == "__main__":
    main()
