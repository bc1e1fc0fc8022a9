"""F4–F6, F9, F14, F15: engine, run host or everything is ended from outside; nobody is left."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.drills.engine import DOUBLE_FILE
from tests.drills.platform import ENDED, Platform, busy, wait_until
from training_engine.contract.names import CHECKPOINTS_DIR

pytestmark = pytest.mark.long
LIFE = {"steps": 2000, "step_s": 0.02}
OF_THE_HOST = [
    "host.locked",
    "host.identified",
    "host.forked",
    "host.log_write",
    "host.before_exit_record",
    "host.exit_recorded",
]
OF_THE_ENGINE = ["engine.started", "engine.event", "engine.step", "engine.before_finished"]


def is_gone(process: psutil.Process) -> bool:
    """Ended; reaping it is the business of whoever is its parent now."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def nothing_left(platform: Platform, within_s: float) -> None:
    """No process of a run, and no zombie, within the time."""
    wait_until(lambda: not platform.descendants(), "no process left", within_s)
    assert platform.process is not None
    zombies = [
        child
        for child in psutil.Process(platform.process.pid).children(recursive=True)
        if child.status() == psutil.STATUS_ZOMBIE
    ]
    deadline = time.monotonic() + 60
    while any(zombie.is_running() for zombie in zombies):
        assert time.monotonic() < deadline, zombies
        time.sleep(0.2)


def test_kill_9_of_the_engine_then_resume(platform: Platform) -> None:
    task = platform.create(**LIFE)
    platform.until(task, "RUNNING", step=12)
    _, engine = platform.host_and_engine(task)
    killed_at = time.monotonic()
    engine.kill()
    failed = platform.until(task, *ENDED)
    assert time.monotonic() - killed_at < busy(5)
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "engine_crashed")
    assert "SIGKILL" in failed["error"]["message"]
    assert failed["error"]["hint"]
    assert failed["resumable"]
    assert (platform.folders(task)[0].exit_facts() or {})["signal"] == 9
    assert platform.act(task, "resume").status_code == 200
    again = platform.until(task, "RUNNING", step=failed["step"] + 5)
    assert again["attempt"] == 2
    first = int(platform.log_texts(task, 2)[0].split()[1].split("/")[0])
    assert failed["step"] - 6 < first <= failed["step"] + 1, "at most one interval is repeated"
    platform.act(task, "stop", save=False)
    platform.until(task, "STOPPED")
    nothing_left(platform, 10)


def test_the_engine_is_killed_while_nobody_looks(platform: Platform) -> None:
    """Found within 10 s of the next start."""
    task = platform.create(**LIFE)
    platform.until(task, "RUNNING", step=12)
    host, engine = platform.host_and_engine(task)
    platform.kill()
    engine.kill()
    wait_until(lambda: is_gone(host), "its host has written down how it ended")
    platform.start()
    failed = platform.until(task, *ENDED, timeout_s=busy(10))
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "engine_crashed")
    assert failed["resumable"]


def test_a_stop_while_it_saves(platform: Platform, tmp_path: Path) -> None:
    """Twice, as impatient people do, and once more after the end: one end, a whole checkpoint."""
    platform.again(failpoints=f"checkpoint.before_rename:pause:3@{tmp_path / 'once'}")
    task = platform.create(**LIFE)
    wait_until((tmp_path / "once").exists, "it saves")
    answers = [platform.act(task, "stop", save=True) for _ in range(2)]
    stopped = platform.until(task, *ENDED)
    answers.append(platform.act(task, "stop", save=True))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json()["status"] for answer in answers] == ["STOPPING", "STOPPING", "STOPPED"]
    assert (stopped["status"], stopped["resumable"]) == ("STOPPED", True)
    assert platform.moves(task).count("STOPPED") == 1
    (folder,) = platform.folders(task)
    there = sorted(path.name for path in (folder.path / CHECKPOINTS_DIR).iterdir())
    told = [c["name"] for c in platform.http.get(f"/tasks/{task}/checkpoints").json()]
    assert there == sorted(told), "nothing is half there"
    nothing_left(platform, 10)


def test_kill_9_of_the_run_host(platform: Platform) -> None:
    task = platform.create(**LIFE)
    platform.until(task, "RUNNING", step=12)
    host, engine = platform.host_and_engine(task)
    killed_at = time.monotonic()
    host.kill()
    failed = platform.until(task, *ENDED)
    assert time.monotonic() - killed_at < busy(15)
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "supervisor_lost")
    assert failed["resumable"]
    assert not platform.folders(task)[0].is_locked()
    nothing_left(platform, 10)
    assert is_gone(engine)


def test_everything_is_killed_at_once(platform: Platform) -> None:
    task = platform.create(**LIFE)
    platform.until(task, "RUNNING", step=12)
    for process in platform.host_and_engine(task):
        process.kill()
    platform.database.process.send_signal(signal.SIGQUIT)
    platform.kill()
    platform.database.process.wait(30)
    platform.start_database()
    platform.start()
    failed = platform.until(task, *ENDED)
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "supervisor_lost")
    assert failed["resumable"]
    nothing_left(platform, 10)
    assert platform.act(task, "resume").status_code == 200
    platform.until(task, "RUNNING", step=failed["step"])
    platform.act(task, "stop", save=False)
    platform.until(task, "STOPPED")


def test_everything_is_told_to_end_at_once(platform: Platform) -> None:
    """As a machine that shuts down: the engine saves, and the next boot finds it."""
    task = platform.create(**LIFE)
    platform.until(task, "RUNNING", step=8)
    host, _ = platform.host_and_engine(task)
    host.terminate()
    platform.database.process.terminate()
    platform.signal(signal.SIGTERM)
    platform.gone(40)
    wait_until(lambda: is_gone(host), "no host")
    platform.database.process.wait(30)
    platform.start_database()
    platform.start()
    ended = platform.until(task, *ENDED)
    assert (ended["status"], ended["resumable"]) == ("STOPPED", True)
    last = platform.log_texts(task)[-1]
    checkpoint = platform.http.get(f"/tasks/{task}/checkpoints").json()[-1]
    assert last == f"step {checkpoint['step']}/2000", "nothing after the last save was lost"
    nothing_left(platform, 10)


@pytest.mark.parametrize("place", OF_THE_HOST)
def test_the_run_host_is_killed_in_every_window(
    platform: Platform, tmp_path: Path, place: str
) -> None:
    platform.again(failpoints=f"{place}:kill9@{tmp_path / 'once'}", timeouts={"launch_s": 10.0})
    task = platform.create(steps=30, step_s=0.03)
    ended = platform.until(task, *ENDED)
    assert (tmp_path / "once").exists()
    assert ended["status"] in {"COMPLETED", "FAILED"}
    if ended["status"] == "FAILED":
        assert ended["error"]["hint"]
    folders = platform.folders(task)
    assert not (folders[0].path.parent / DOUBLE_FILE).exists()
    nothing_left(platform, 10)
    if ended["status"] == "FAILED":
        action = "resume" if ended["resumable"] else "restart"
        assert platform.act(task, action).status_code == 200
        assert platform.until(task, *ENDED)["status"] == "COMPLETED"


@pytest.mark.parametrize("place", OF_THE_ENGINE)
def test_the_engine_is_killed_in_every_window(
    platform: Platform, tmp_path: Path, place: str
) -> None:
    platform.again(failpoints=f"{place}:kill9@{tmp_path / 'once'}")
    task = platform.create(steps=20)
    failed = platform.until(task, *ENDED)
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "engine_crashed")
    nothing_left(platform, 10)
    action = "resume" if failed["resumable"] else "restart"
    assert platform.act(task, action).status_code == 200
    assert platform.until(task, *ENDED)["status"] == "COMPLETED"
