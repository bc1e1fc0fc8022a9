"""Signals reach only what was identified; children know nothing they need not."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.processes import identity, spawn
from backend.processes.identity import ProcessIdentity, RefusedPid, checked_pid, identify, is_alive
from backend.processes.stop import Force, send, stop_tree, tree
from backend.processes.usage import usage
from training_engine.contract.names import NONCE_VARIABLE

SLEEP = "import time; time.sleep(120)"
# Ignores SIGTERM, says so by a file, and has a child that does the same.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[2] == "parent":
    subprocess.Popen([sys.executable, __file__, sys.argv[1], "child"])
open(os.path.join(sys.argv[1], sys.argv[2]), "w").close()
time.sleep(120)
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes of the test; killed at its end."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def python(started: list[subprocess.Popen[bytes]], *code: str, **extra: str) -> ProcessIdentity:
    process = subprocess.Popen([sys.executable, *code], env={**os.environ, **extra})
    started.append(process)
    found = identify(process.pid)
    assert found is not None
    return found


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.mark.parametrize("pid", [0, 1, -1, -5, True, False, None, "123", 12.0])
def test_dangerous_pids_are_refused(pid: object) -> None:
    with pytest.raises(RefusedPid):
        checked_pid(pid)
    assert ProcessIdentity.from_facts({"pid": pid, "start_ticks": 1, "boot_id": "b"}) is None


def test_this_very_process_is_refused() -> None:
    with pytest.raises(RefusedPid):
        checked_pid(os.getpid())


@pytest.mark.parametrize("pid", [0, 1, -1])
async def test_no_signal_goes_out_for_a_dangerous_identity(
    pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(os, "kill", lambda *a: sent.append(a))
    monkeypatch.setattr(os, "killpg", lambda *a: sent.append(a))
    with pytest.raises(RefusedPid):
        await stop_tree(ProcessIdentity(pid, 1, identity.boot_id()), grace_s=0)
    assert sent == []


@pytest.mark.parametrize(
    "change", [{"start_ticks": 1}, {"boot_id": "another"}], ids=["start", "boot"]
)
async def test_a_decoy_with_the_same_pid_survives(
    started: list[subprocess.Popen[bytes]], change: dict[str, Any]
) -> None:
    decoy = python(started, "-c", SLEEP)
    claimed = replace(decoy, **change)
    assert not is_alive(claimed)
    assert tree(claimed) == []
    assert await stop_tree(claimed, nonce="nobody carries this", grace_s=0)
    assert started[0].poll() is None
    assert is_alive(decoy)


def test_a_zombie_is_not_alive(started: list[subprocess.Popen[bytes]]) -> None:
    child = python(started, "-c", "pass")
    wait_for(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    assert not is_alive(child)
    assert tree(child) == []
    started[0].wait()
    assert not is_alive(child)


async def test_a_stubborn_tree_is_killed_whole(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    root = python(started, str(script), str(tmp_path), "parent")
    wait_for((tmp_path / "child").exists)
    members = [found for process in tree(root) if (found := identify(process.pid))]
    assert len(members) == 2
    reaping = asyncio.create_task(asyncio.to_thread(started[0].wait))
    assert await stop_tree(root, grace_s=0.2)
    assert not any(is_alive(member) for member in members)
    assert await reaping == -signal.SIGKILL


async def test_a_tree_that_listens_is_not_killed(started: list[subprocess.Popen[bytes]]) -> None:
    root = python(started, "-c", SLEEP)
    reaping = asyncio.create_task(asyncio.to_thread(started[0].wait))
    assert await stop_tree(root, grace_s=20)
    assert await reaping == -signal.SIGTERM


async def test_processes_without_a_parent_are_found_by_nonce(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    left, other = ({NONCE_VARIABLE: name} for name in ("nonce-of-this-test", "another-nonce"))
    orphan, decoy = python(started, "-c", SLEEP, **left), python(started, "-c", SLEEP, **other)
    reaping = asyncio.create_task(asyncio.to_thread(started[0].wait))
    assert await stop_tree(None, nonce="nonce-of-this-test", grace_s=20)
    await reaping
    assert not is_alive(orphan)
    assert is_alive(decoy)


def test_a_process_that_is_gone_is_not_signalled(started: list[subprocess.Popen[bytes]]) -> None:
    python(started, "-c", SLEEP)
    process = psutil.Process(started[0].pid)
    started[0].kill()
    started[0].wait()
    assert send([process], Force.TERMINATE) == 0


def test_usage_sums_the_tree(started: list[subprocess.Popen[bytes]], tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    root = python(started, str(script), str(tmp_path), "parent")
    wait_for((tmp_path / "child").exists)
    found = usage(root)
    assert found.processes == 2
    assert found.memory_bytes > 4 * 1024 * 1024
    assert usage(replace(root, start_ticks=1)).processes == 0


def test_a_dead_holder_is_known_and_a_strange_one_is_not(
    started: list[subprocess.Popen[bytes]],
) -> None:
    code = "from backend.processes.identity import describe_self as d; print(d(), flush=True); "
    root = spawn.PROJECT_ROOT
    process = subprocess.Popen(
        [sys.executable, "-c", code + SLEEP], stdout=subprocess.PIPE, cwd=root
    )
    started.append(process)
    assert process.stdout is not None
    with process.stdout as output:
        described = output.readline().decode().strip()
    assert not identity.is_surely_dead(described + " 1a2b")
    process.kill()
    process.wait()
    assert identity.is_surely_dead(described + " 1a2b")
    boot, namespace, pid, ticks = described.split()
    for strange in (f"other {namespace} {pid} {ticks}", f"{boot} pid:[1] {pid} {ticks}", "", "x"):
        assert not identity.is_surely_dead(strange)


def test_a_child_knows_only_the_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "EASYTUNE_DATABASE_URL": "postgresql://u:p@h/d",
        "EASYTUNE_SECRET_KEY": "k" * 40,
        "AWS_SECRET_ACCESS_KEY": "a",
        "HF_TOKEN": "hf_x",
        "PYTHONSTARTUP": "/tmp/x.py",
        "LD_PRELOAD": "/tmp/x.so",
        "HTTPS_PROXY": "http://user:pass@proxy",
    }
    for name, value in {**secrets, "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "1"}.items():
        monkeypatch.setenv(name, value)
    offline, online = spawn.environment(), spawn.environment(online=True)
    assert not secrets.keys() & offline.keys()
    assert secrets.keys() & online.keys() == {"HTTPS_PROXY"}
    assert (offline["HF_HUB_OFFLINE"], offline["LC_ALL"]) == ("1", "C")
    assert offline["CUDA_VISIBLE_DEVICES"] == "1"
    assert "HF_HUB_OFFLINE" not in online


def test_a_spawned_program_is_detached(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    code = (
        "import os, sys; print(os.getsid(0) == os.getpid(), os.getcwd(),"
        f" os.path.exists('/proc/self/fd/{writer}'), os.nice(0),"
        " open('/proc/self/oom_score_adj').read().strip(), sys.stdin.read() == '', sep='|')"
    )
    # The settings are made just after the start: give the program a moment before it looks.
    argv = [sys.executable, "-c", "import time; time.sleep(0.5); " + code]
    output = tmp_path / "out.txt"
    env = spawn.environment()
    process = spawn.spawn(argv, cwd=tmp_path, env=env, output=output, oom_score=500, niceness=5)
    started.append(process)
    os.close(writer)
    process.wait()
    os.close(reader)
    seen = output.read_text().strip().split("|")
    assert seen == ["True", str(tmp_path), "False", "5", "500", "True"]


def test_the_working_folder_can_not_replace_a_module(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    (tmp_path / "pathlib.py").write_text("raise SystemExit('replaced')")
    (tmp_path / "backend.py").write_text("raise SystemExit('replaced')")
    output = tmp_path / "out.txt"
    argv = spawn.python_module("backend.ids")
    process = spawn.spawn(argv, cwd=tmp_path, env=spawn.environment(), output=output)
    started.append(process)
    assert process.wait() == 0, output.read_text()


def test_what_can_not_be_started_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        spawn.spawn(["/does/not/exist"], cwd=tmp_path, env={})
