"""F10, F16, F17, F61: what only a kernel does: numbers come again, memory runs out, limits bite."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.jobs.schemas import JobStatus
from backend.runner.endings import Evidence, judge
from backend.settings import PROJECT_ROOT
from tests.drills.platform import Platform
from tests.training_engine.running import exit_facts, make_run
from training_engine.run_host.records import OutOfMemoryCount, memory_counter

MEMORY = Path("/sys/fs/cgroup/memory")
UNIFIED = Path("/sys/fs/cgroup")
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT)}


def test_a_number_that_comes_again() -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and `unshare`, for a namespace with few process numbers")
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    if release < (6, 14):
        pytest.skip("needs a kernel in which a namespace has its own pid_max (6.14)")
    argv = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*argv, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to make a process namespace")
    done = subprocess.run(
        [*argv, sys.executable, "-m", "tests.drills.recycled_pid"],
        env=ENVIRONMENT,
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "Permission denied" in done.stderr or "Read-only" in done.stderr:
        pytest.skip("needs the right to set pid_max")
    assert done.stdout == "decoy lives\n", done.stderr


@pytest.fixture
def small_memory() -> Iterator[Path]:
    """A control group of 200 MB; entered by writing to its `cgroup.procs`."""
    v1 = (MEMORY / "memory.limit_in_bytes").exists() or MEMORY.is_dir()
    group = (MEMORY if v1 else UNIFIED) / f"easytune-drill-{os.getpid()}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(200 * 2**20))
        swap = group / ("memory.memsw.limit_in_bytes" if v1 else "memory.swap.max")
        if swap.exists():
            swap.write_text(str(200 * 2**20) if v1 else "0")
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        pytest.skip(f"needs a control group of its own ({error.strerror})")
    yield group
    group.rmdir()


def test_the_kernel_takes_the_engine_for_its_memory(small_memory: Path, tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run", {})
    host = "exec {} -m training_engine {} --child tests.drills.greedy_engine"
    entered = f"echo $$ > {small_memory}/cgroup.procs && " + host.format(sys.executable, run_dir)
    elsewhere = OutOfMemoryCount()
    done = subprocess.run(
        ["sh", "-c", entered],
        env=ENVIRONMENT,
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 128 + 9, done.stderr
    facts = exit_facts(run_dir)
    assert (facts["signal"], facts["oom_killed"]) == (9, True)
    if memory_counter().exists():  # what happens in another group is not put down to ours
        assert not elsewhere.increased()
    ending = judge(Evidence(exit_facts=facts))
    assert ending.status is JobStatus.FAILED
    assert ending.error is not None
    assert ending.error["code"] == "host_out_of_memory"
    assert "smaller" in ending.error["hint"]


@pytest.mark.long
def test_whom_the_kernel_takes_first(platform: Platform) -> None:
    """Engine before backend before database, whatever the scores began with."""
    task = platform.create(steps=2000, step_s=0.03)
    platform.until(task, "RUNNING", step=1)
    host, engine = platform.host_and_engine(task)
    assert platform.process is not None

    def score(pid: int) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    backend, database = score(platform.process.pid), score(platform.database.pid)
    assert score(engine.pid) == score(host.pid) > backend > database
    platform.act(task, "stop", save=False)
    platform.until(task, "STOPPED")


def said(tmp_path: Path, script: str, command: str = "up", **more: str) -> str:
    """What `easytune` says to a shell script that starts it as `EASYTUNE`.

    The port is taken: `up` tells what it thinks of the machine, and does not stay.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        easytune = f"exec {sys.executable} -m backend.cli {command}"
        variables = {
            "EASYTUNE_DATA_DIR": str(tmp_path / "data"),
            "EASYTUNE_PORT": str(taken.getsockname()[1]),
        }
        done = subprocess.run(
            ["sh", "-c", script.replace("EASYTUNE", easytune)],
            env={**ENVIRONMENT, **variables, **more},
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def warned(told: str, check: str) -> str:
    """The warning of a check, from a start; what to do about it is in it."""
    (line,) = [line for line in told.splitlines() if line.startswith(f"Warning: {check}: ")]
    assert "is taken by another program" in told, "it is named before anything else"
    return line


def test_few_open_files_are_named_before_anything_starts(tmp_path: Path) -> None:
    told = warned(said(tmp_path, "ulimit -n 256; EASYTUNE"), "open files")
    assert "only 256 files" in told
    assert "ulimit -n 65536" in told
    doctor = said(tmp_path, "ulimit -n 256; EASYTUNE", "doctor").splitlines()
    (at,) = [n for n, line in enumerate(doctor) if line.startswith("! open files: only 256 files")]
    assert "→ Raise it before starting" in doctor[at + 1]


def test_too_few_open_files_keep_it_from_starting(tmp_path: Path) -> None:
    """One sentence, and nothing was begun."""
    told = said(tmp_path, "ulimit -n 100; EASYTUNE")
    assert "open files: only 100 files" in told
    assert "is taken by another program" not in told


def test_a_temporary_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    """Read-only even for root, as a container with a read-only root has it."""
    place = tmp_path / "readonly"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a disk")
    try:
        told = warned(said(tmp_path, "EASYTUNE", TMPDIR=str(place)), "temporary files")
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    assert f"{place} can not be written" in told
    assert "Set TMPDIR" in told


def test_little_shared_memory_is_named(tmp_path: Path) -> None:
    """64 MB, as a container has it unless it is told otherwise."""
    small = "mount -t tmpfs -o size=64m tmpfs /dev/shm"
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("needs root and `unshare`, for a mount of its own")
    alone = ["unshare", "--mount", "sh", "-c", small]
    if subprocess.run(alone, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a disk")
    told = said(tmp_path, f"exec unshare --mount sh -c '{small} && EASYTUNE'")
    assert "64 MB in /dev/shm" in (line := warned(told, "shared memory"))
    assert "--shm-size" in line
