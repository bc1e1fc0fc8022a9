"""F1–F3, F25: the backend is killed in the midst of a run, and in every window of a run's life."""

import threading
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.drills.engine import DOUBLE_FILE, ENGINES_FILE
from tests.drills.nemesis.client import Client
from tests.drills.nemesis.ledger import Known, Ledger
from tests.drills.platform import Platform, busy

LONG = pytest.mark.long
BEFORE_LAUNCH = ["claim.committed", "launch.prepared", "launch.allowed"]
LATER = [
    "ingest.before_commit",
    "ingest.committed",
    "finish.judged",
    "finish.before_commit",
    "finish.committed",
]


def pace_s(points: list[dict[str, Any]]) -> float:
    """The median time between two steps."""
    times = [datetime.fromisoformat(point["at"]) for point in points]
    return median((after - before).total_seconds() for before, after in pairwise(times))


def once_and_whole(platform: Platform, task: str, steps: int) -> dict[str, Any]:
    """It completes; every step is logged once; one engine per attempt, never two at once."""
    done: dict[str, Any] = platform.until(task, "COMPLETED")
    texts = platform.log_texts(task, done["attempt"])
    assert texts == [f"step {n}/{steps}" for n in range(1, steps + 1)]
    curve = platform.http.get(f"/tasks/{task}/metrics").json()["series"]["loss"]
    assert [point["step"] for point in curve] == list(range(1, steps + 1))
    folders = platform.folders(task)
    assert not (folders[0].path.parent / DOUBLE_FILE).exists()
    ran = [folder for folder in folders if (folder.path / ENGINES_FILE).exists()]
    assert [folder.attempt for folder in ran] == [done["attempt"]]
    assert len((ran[0].path / ENGINES_FILE).read_text().split()) == 1
    assert platform.moves(task).count("COMPLETED") == 1
    assert platform.descendants(folders[-1]) == []
    return done


def watched(platform: Platform, task: str) -> tuple[Known, list[threading.Thread]]:
    """A browser that shows the task, and reconnects as browsers do; what it has shown."""
    known, ledger = Known("", {}, id=task), Ledger(0)
    client = Client(str(platform.http.base_url), dict(platform.http.cookies), ledger)
    return known, client.watch(known)


def test_kill_9_in_the_midst_of_a_training(platform: Platform) -> None:
    task = platform.create(steps=100_000, step_s=0.03)
    seen, browser = watched(platform, task)
    platform.until(task, "RUNNING", step=40)
    host, engine = platform.host_and_engine(task)
    known = len(platform.log_texts(task))
    platform.kill()
    killed_with = len(seen.lines)
    platform.start()
    assert (host.is_running(), engine.is_running()) == (True, True)
    now = len(platform.folders(task)[0].log_file.read_bytes().splitlines())
    platform.until(task, "RUNNING", step=now, timeout_s=busy(10))
    assert platform.host_and_engine(task) == (host, engine)
    assert platform.act(task, "stop", save=True).status_code == 200
    done = platform.until(task, "STOPPED")
    assert done["attempt"] == 1
    steps = range(1, done["step"] + 1)
    assert platform.log_texts(task) == [f"step {n}/100000" for n in steps]
    curve = platform.http.get(f"/tasks/{task}/metrics?max_points=10000").json()["series"]["loss"]
    assert [point["step"] for point in curve] == list(steps)
    # Nothing of the engine waits for the backend; the rest is noise of the machine.
    assert pace_s(curve[known:]) < busy(1.25) * pace_s(curve[:known])
    for thread in browser:
        thread.join(60)
        assert not thread.is_alive(), "its streams ended"
    # The browser came back by itself: it showed every line and every point once, and no gap.
    assert killed_with < len(seen.lines)
    assert [text for _, text in seen.lines] == [f"step {n}/100000" for n in steps]
    assert [step for _, step, _ in seen.points] == list(steps)
    assert seen.gaps == []
    moves = ["PENDING", "PREPARING", "RUNNING", "STOPPING", "STOPPED"]
    assert platform.moves(task) == moves
    assert platform.descendants() == []


@pytest.mark.parametrize(
    "place", [BEFORE_LAUNCH[0], *(pytest.param(p, marks=LONG) for p in BEFORE_LAUNCH[1:])]
)
def test_killed_between_claim_and_fork(platform: Platform, tmp_path: Path, place: str) -> None:
    """Launched again under a new number: nobody can know that the first was never started."""
    platform.again(failpoints=f"{place}:kill9@{tmp_path / 'once'}")
    task = platform.create(steps=10)
    platform.gone()
    platform.start()
    again = platform.until(task, "RUNNING", "COMPLETED", timeout_s=busy(60))
    assert again["attempt"] == 2
    assert once_and_whole(platform, task, 10)["attempt"] == 2


@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param("", marks=LONG),
        pytest.param("host.locked:pause:1.5", marks=LONG),
        pytest.param("host.forked:pause:1.5", marks=LONG),
    ],
)
def test_killed_after_the_fork(platform: Platform, tmp_path: Path, hosts: str) -> None:
    """Before the run host has said who it is: it is adopted, or it never starts anything."""
    once = f"launch.forked:kill9@{tmp_path / 'once'}"
    platform.again(failpoints=",".join(filter(None, (once, hosts))))
    task = platform.create(steps=40, step_s=0.03)
    platform.gone()
    platform.start()
    once_and_whole(platform, task, 40)


@pytest.mark.parametrize(
    "place",
    [
        *(pytest.param(p, marks=LONG) for p in LATER[:-2]),
        *LATER[-2:-1],
        pytest.param(LATER[-1], marks=LONG),
    ],
)
def test_killed_while_it_writes_down_what_happened(
    platform: Platform, tmp_path: Path, place: str
) -> None:
    platform.again(failpoints=f"{place}:kill9@{tmp_path / 'once'}")
    task = platform.create(steps=15)
    platform.gone()
    platform.start()
    assert once_and_whole(platform, task, 15)["attempt"] == 1


@LONG
def test_killed_after_a_stop_was_given(platform: Platform, tmp_path: Path) -> None:
    platform.again(failpoints=f"stop.given:kill9@{tmp_path / 'once'}")
    task = platform.create(steps=2000, step_s=0.03)
    platform.until(task, "RUNNING", step=3)
    assert platform.act(task, "stop", save=True).status_code == 200
    platform.gone()
    platform.start()
    stopped = platform.until(task, "STOPPED")
    assert (stopped["attempt"], stopped["resumable"]) == (1, True)
    assert platform.descendants() == []
