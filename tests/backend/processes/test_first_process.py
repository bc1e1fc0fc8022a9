"""As process 1 of a container, in a real namespace of processes where the kernel allows one."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backend.settings import PROJECT_ROOT
from tests.backend.commands.test_up import EASYTUNE, READY, environment
from tests.drills.platform import Platform

NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
PATIENCE_S = 60.0
CHILD = """
import signal, subprocess, sys, time
from pathlib import Path
from backend.processes.first_process import step_aside

step_aside()
import os
assert (os.getppid(), os.getpid() > 1) == (1, True)
own = subprocess.Popen(["sh", "-c", "exit 7"])
# Orphans: one that ends at once, one that saves when it is told to end.
saves = "trap 'echo saved > " + sys.argv[1] + "; exit' TERM; while :; do sleep 0.05; done"
subprocess.run(["sh", "-c", "sleep 0.1 &"])
subprocess.run(["sh", "-c", "(" + saves + ") &"])
time.sleep(0.5)

def state(stat):
    return stat.rpartition(")")[2].split()[:2]

found = [state(p.read_text()) for p in Path("/proc").glob("[0-9]*/stat")]
orphans = [each for each in found if each[1] == "1"]
print(own.wait(), orphans.count(["Z", "1"]), len(orphans), flush=True)
signal.pause()
"""


@pytest.fixture(scope="module", autouse=True)
def _allowed() -> None:
    """Skips where no namespace can be made."""
    try:
        subprocess.run([*NAMESPACE, "true"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("no namespace of processes can be made here")


def start(*command: str, data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*NAMESPACE, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=PROJECT_ROOT,
        env=environment(data_dir),
    )


def process_1(outside: subprocess.Popen[str]) -> psutil.Process:
    """As it is known outside of the namespace."""
    (first,) = psutil.Process(outside.pid).children()
    return first


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The script above as process 1."""
    process = start(sys.executable, "-c", CHILD, str(tmp_path / "saved"), data_dir=tmp_path)
    yield process
    process.kill()
    process.communicate()


def test_orphans_are_collected_and_told_to_end(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert running.stdout is not None
    own, zombies, orphans = map(int, running.stdout.readline().split())
    assert own == 7, "the ends of its own children are the platform's"
    assert zombies == 0
    assert orphans == 2, "the platform, and the one that goes on"
    process_1(running).send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE_S) == 128 + signal.SIGTERM
    assert (tmp_path / "saved").read_text() == "saved\n"


@pytest.mark.long
def test_the_platform_as_process_1(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    process = start(*EASYTUNE, "up", data_dir=data_dir)
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith(READY):
                break
        else:
            raise AssertionError("".join(lines))
        below = process_1(process).children(recursive=True)
        assert len(below) > 3, "the platform and its database"
        began = time.monotonic()
        process_1(process).send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert time.monotonic() - began < 25
        assert not any(each.is_running() for each in below)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def container() -> Iterator[Platform]:
    """A platform that is process 1 of its namespace; its database lives outside."""
    platform = Platform()
    try:
        platform.start(wrapper=tuple(NAMESPACE))
        platform.set_up()
        yield platform
    finally:
        platform.close()


def run_of(platform: Platform, task: str) -> list[psutil.Process]:
    """What lives of the newest attempt of a task."""
    return platform.descendants(platform.folders(task)[-1])


def zombies_of(first: psutil.Process) -> set[int]:
    """Ended, and not collected although there was a moment to do it."""

    def now() -> set[int]:
        found = set()
        for process in first.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE:
                    found.add(process.pid)
        return found

    once = now()
    time.sleep(1.0)
    return once & now()


@pytest.mark.long
def test_runs_of_a_container(container: Platform) -> None:
    """Stopped by their user, killed, or ended with the container: no zombie, nothing lost."""
    assert container.process is not None
    first = process_1(container.process)
    stopped, killed, last = [container.create(steps=100_000, step_s=0.05) for _ in range(3)]
    for task in (stopped, killed, last):
        container.until(task, "RUNNING", step=3)
    container.act(stopped, "stop", save=True)
    # By their environment: the numbers in their folders are those of the namespace.
    [host] = [p for p in run_of(container, killed) if "--child" in p.cmdline()]
    host.kill()
    container.until(stopped, "STOPPED")
    container.until(killed, "FAILED")
    assert zombies_of(first) == set()

    left = run_of(container, last)
    assert len(left) >= 2, "a run host and its engine"
    first.send_signal(signal.SIGTERM)
    assert container.gone(PATIENCE_S) == 0
    assert not any(process.is_running() for process in left)
    container.start(wrapper=tuple(NAMESPACE))
    seen = container.until(last, "STOPPED")
    assert seen["resumable"], "it saved a checkpoint before the container ended"
