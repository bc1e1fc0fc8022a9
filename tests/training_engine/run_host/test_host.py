"""The run host with real processes: it ends as its child did, and says so whatever happens."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training_engine.running import (
    events,
    exit_facts,
    finish,
    identity,
    is_running,
    log_lines,
    make_run,
    start_host,
    wait_until,
)
from training_engine.confinement import OPEN_FILES
from training_engine.contract.names import MAX_LOG_LINE_BYTES, OUTPUTS_VARIABLE
from training_engine.run_host.outputs import Outputs, hand_over

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def script(folder: Path, text: str) -> dict[str, str]:
    """Variables that make `child="a_child"` the module `text`."""
    (folder / "a_child.py").write_text(text)
    return {"PYTHONPATH": str(folder)}


def test_a_run_that_finishes(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 3}})
    host = start_host(run)
    assert finish(host) == ""
    assert host.returncode == 0
    facts = exit_facts(run)
    assert (facts["exit_code"], facts["signal"], facts["oom_killed"]) == (0, None, False)
    assert facts["peak_memory_bytes"] > 1_000_000
    assert facts["started_at"] < facts["ended_at"]
    assert [line.text for line in log_lines(run)] == [
        f"step {i}/3  loss {2 / i:.4f}" for i in (1, 2, 3)
    ]
    assert events(run)[-1].type == "finished"


def test_a_crash_keeps_its_traceback(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"crash_at": 2}})
    host = start_host(run)
    finish(host)
    assert host.returncode == exit_facts(run)["exit_code"] == 1
    assert exit_facts(run)["disk_full"] is False
    lines = [line for line in log_lines(run) if line.stream == "err"]
    assert lines[0].text.startswith("Traceback")
    assert lines[-1].text.endswith("asked to crash at step 2")
    assert {line.level for line in lines} == {"error"}


def test_a_killed_child_is_told_by_its_signal(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"kill_at": 2}})
    host = start_host(run)
    finish(host)
    facts = exit_facts(run)
    assert (facts["exit_code"], facts["signal"], facts["oom_killed"]) == (None, 9, False)
    assert host.returncode == 128 + 9


SEVERAL = """\
import subprocess, sys
held = "a = bytearray(80_000_000); input()"
members = [subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE) for _ in "ab"]
import time
time.sleep(2.5)
for member in members:
    member.communicate(b"\\n")
"""


@linux_only
def test_the_memory_of_several_processes_is_that_of_all(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {})
    finish(start_host(run, child="a_child", **script(tmp_path, SEVERAL)))
    assert exit_facts(run)["exit_code"] == 0
    assert 170_000_000 < exit_facts(run)["peak_memory_bytes"] < 300_000_000


@linux_only
def test_a_child_killed_from_outside_leaves_nothing_behind(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 1000, "spawn_at": 1}})
    host = start_host(run)
    wait_until(lambda: events(run)[2:])
    child = identity(run)["child_pid"]
    left = Path(f"/proc/{child}/task/{child}/children").read_text().split()
    assert len(left) == 1
    os.kill(child, signal.SIGKILL)
    finish(host)
    assert exit_facts(run)["signal"] == 9
    assert not is_running(int(left[0]))


def test_only_one_host_works_in_a_folder(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 1000}})
    first = start_host(run)
    before = wait_until(lambda: identity(run))
    second = start_host(run)
    printed = finish(second)
    assert second.returncode == 1
    assert printed == f"{run}: another run host works here\n"
    assert identity(run) == before
    first.terminate()
    finish(first)
    assert first.returncode == 3


def test_an_attempt_that_has_ended_is_not_started_again(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 1}})
    finish(start_host(run))
    before = (run / "events.jsonl").read_bytes()
    again = start_host(run)
    assert "this attempt has ended" in finish(again)
    assert again.returncode == 1
    assert (run / "events.jsonl").read_bytes() == before


def test_sigterm_asks_for_a_save(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 1000}})
    host = start_host(run)
    wait_until(lambda: events(run)[2:])
    host.terminate()
    finish(host)
    assert (run / "control" / "stop-and-save").exists()
    last = events(run)[-1]
    assert (last.type, last.checkpoint) == ("stopped", f"step-{last.step:08d}")
    assert exit_facts(run)["exit_code"] == 3


def test_a_child_that_does_not_listen_is_terminated_after_the_grace(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"hang_at": 1}})
    host = start_host(run, "--grace-s", "0.3", child="a_child", **script(tmp_path, HANG))
    wait_until(lambda: log_lines(run) if (run / "output.log").exists() else None)
    host.terminate()
    finish(host)
    assert exit_facts(run)["signal"] == signal.SIGTERM
    assert [line.text for line in log_lines(run)] == ["hanging", "sending SIGTERM to the engine"]


HANG = "import time; print('hanging', flush=True); time.sleep(600)"


@linux_only
def test_the_child_learns_that_its_host_was_killed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 1000}})
    host = start_host(run)
    child = wait_until(lambda: identity(run))["child_pid"]
    wait_until(lambda: events(run)[2:])
    host.kill()
    finish(host)
    wait_until(lambda: not is_running(child))
    assert not (run / "exit.json").exists()
    with (run / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@linux_only
def test_the_engine_can_gain_nothing_and_leaves_no_core(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 1000}})
    host = start_host(run)
    wait_until(lambda: (run / "events.jsonl").is_file())
    child = (identity(run) or {})["child_pid"]
    status = Path(f"/proc/{child}/status").read_text().split("\n")
    limits = Path(f"/proc/{child}/limits").read_text()
    mode = (run / "events.jsonl").stat().st_mode & 0o777
    host.terminate()
    finish(host)
    assert "NoNewPrivs:\t1" in status
    assert "Umask:\t0077" in status
    assert re.search(r"Max core file size +0 +0 ", limits)
    open_files = re.search(r"Max open files +(\d+) +(\d+) ", limits)
    assert open_files is not None
    assert max(int(number) for number in open_files.groups()) <= OPEN_FILES
    assert mode == 0o600


def test_the_heart_beats(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 1000}})
    host = start_host(run)
    wait_until(lambda: identity(run))
    first = (run / "identity.json").stat().st_mtime_ns
    wait_until(lambda: (run / "identity.json").stat().st_mtime_ns > first + 1_000_000_000)
    assert host.poll() is None
    host.terminate()
    finish(host)


def test_a_flood_is_written_whole_and_in_order(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 2, "flood_at": 1, "lines": 100_000}})
    finish(start_host(run))
    texts = [line.text for line in log_lines(run)]
    assert texts[:100_000] == [f"flood {i}" for i in range(100_000)]
    assert texts[-1].startswith("step 2/2")


def test_the_host_stays_small(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"fake": {"steps": 1000, "flood_at": 1, "lines": 200_000}})
    host = start_host(run)
    wait_until(lambda: events(run)[2:])
    status = Path(f"/proc/{host.pid}/status").read_text()
    host.terminate()
    finish(host)
    peak_kib = int(next(line for line in status.splitlines() if "VmHWM" in line).split()[1])
    assert peak_kib < 17 * 1024  # 14 MB here; one imported package more would show


STRANGE = """
import sys
out = sys.stdout.buffer
out.write(b"a\\0b\\xff\\n" + b"10%\\r50%\\r100%\\n" + b"\\x1b[31mred\\x1b[0m\\n")
out.write(b"x" * 1_000_000 + b"\\n")
out.write("no newline at the end 终".encode())
"""


def test_strange_output_becomes_whole_lines(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {})
    finish(start_host(run, child="a_child", **script(tmp_path, STRANGE)))
    lines = log_lines(run)
    assert [line.text for line in lines[:3]] == ["a\\x00b\\xff", "100%", "red"]
    assert lines[2].colours == ((0, 3, "31"),)
    long = lines[3:-1]
    assert "".join(line.text for line in long) == "x" * 1_000_000
    assert [line.continued for line in long] == [True] * (len(long) - 1) + [False]
    assert max(len(line.text) for line in long) <= MAX_LOG_LINE_BYTES
    assert lines[-1].text == "no newline at the end 终"


MEMBERS = """
import os, subprocess, sys
from training_engine.run_host.outputs import hand_over
members = []
for rank in (0, 1):
    err = hand_over("err", rank)
    said = f"import sys; [print('said', i, file=sys.stderr, flush=True) for i in range(500)]"
    members.append(subprocess.Popen([sys.executable, "-c", said], stderr=err))
    os.close(err)
print("both are started", flush=True)
for member in members:
    member.wait()
"""


def test_each_of_several_processes_has_its_lines(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {})
    finish(start_host(run, child="a_child", **script(tmp_path, MEMBERS)))
    lines = log_lines(run)
    for rank in (0, 1):
        own = [line for line in lines if line.rank == rank]
        assert [line.text for line in own] == [f"said {i}" for i in range(500)]
        assert {line.stream for line in own} == {"err"}
    assert [(line.text, line.stream) for line in lines if line.rank is None] == [
        ("both are started", "out")
    ]
    assert exit_facts(run)["exit_code"] == 0


def test_without_a_run_host_nobody_takes_an_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OUTPUTS_VARIABLE, raising=False)
    assert hand_over("err", 1) is None
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    monkeypatch.setenv(OUTPUTS_VARIABLE, str(theirs.fileno()))
    ours.close()  # the run host was killed
    assert hand_over("err", 1) is None
    theirs.close()
    assert hand_over("err", 1) is None


def test_what_is_handed_over_wrongly_is_closed() -> None:
    outputs = Outputs()
    read, write = os.pipe()
    for message, pipes in ((b"x err", [read]), (b"1 nowhere", [read]), (b"", []), (b"1 err", [])):
        with socket.socket(fileno=os.dup(outputs.theirs)) as sender:
            socket.send_fds(sender, [message], pipes)
    assert outputs.taken() == []
    os.close(read)
    with pytest.raises(BrokenPipeError):  # no copy of the reading end is left
        os.write(write, b"x")
    os.close(write)
    outputs.started()
    outputs.close()


LIMITED = """
import time
for i in range(200):
    print(f"line {i} " + "." * 100, flush=True)
    time.sleep(0.001)
print(open(0).read() == "", flush=True)
"""


def test_a_full_disk_does_not_end_the_run(tmp_path: Path) -> None:
    """RLIMIT_FSIZE is the disk; only the log grows that large."""
    run = make_run(tmp_path / "run", {})
    variables = script(tmp_path, LIMITED)
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192));"
        "from training_engine.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", limited, str(run), "--child", "a_child"],
        env={**os.environ, **variables, "PYTHONSAFEPATH": "1"},
        timeout=60,
        check=False,
    )
    assert result.returncode == 0
    assert exit_facts(run)["exit_code"] == 0
    lines = log_lines(run)
    assert lines[0].text.startswith("line 0 ")
    assert 10 < len(lines) < 100
    assert (run / "output.log").stat().st_size <= 8192


def test_the_child_gets_folder_nonce_and_tuning(tmp_path: Path) -> None:
    text = "import os, json, sys; print(json.dumps([dict(os.environ), sys.argv]))"
    run = make_run(tmp_path / "run", {})
    variables = script(tmp_path, text) | {"EASYTUNE_RUN_NONCE": "abc"}
    finish(start_host(run, child="a_child", **variables))
    environment, argv = json.loads(log_lines(run)[0].text)
    assert environment["EASYTUNE_RUN_DIR"] == argv[1] == str(run)
    assert environment["EASYTUNE_RUN_NONCE"] == "abc"
    assert "mmap_threshold=33554432" in environment["GLIBC_TUNABLES"]
    assert environment["GOMP_SPINCOUNT"] in {"0", "5000"}  # as busy as the machine is
    assert environment["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "64"


def test_what_can_not_start_is_said_in_one_line(tmp_path: Path) -> None:
    host = start_host(tmp_path / "nowhere")
    assert finish(host) == f"{tmp_path / 'nowhere'}: there is no such run folder\n"
    assert host.returncode == 1
    run = make_run(tmp_path / "run", {})
    host = start_host(run, child="no_such_module")
    finish(host)
    assert exit_facts(run)["exit_code"] == 1
    assert "No module named" in log_lines(run)[-1].text


def test_no_start_when_the_host_has_just_begun(tmp_path: Path) -> None:
    """The lock is let go last: while it is held there may be no exit.json, after it there is."""
    run = make_run(tmp_path / "run", {"fake": {"steps": 4}})
    host = start_host(run)
    wait_until(lambda: (run / "lock").exists())
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with (run / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if identity(run):
                assert (run / "exit.json").exists()
                break
    finish(host)
    assert exit_facts(run)["exit_code"] == 0
