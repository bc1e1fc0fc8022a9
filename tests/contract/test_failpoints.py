"""Failpoints: off by default, a closed list, every name at a place, faults as asked for."""

import errno
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import settings
from training_engine.contract import failpoints
from training_engine.contract.failpoints import BadFailpoints, arm, parse, reach

ROOT = settings.PROJECT_ROOT


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm("")


def test_off_by_default_and_cheap() -> None:
    """A million places passed cost well under a second: they may stand in inner loops."""
    began = time.perf_counter()
    for _ in range(1_000_000):
        reach("engine.step")
    assert time.perf_counter() - began < 2


def test_every_name_has_a_place_and_every_place_a_name() -> None:
    files = [
        *ROOT.joinpath("backend").rglob("*.py"),
        *ROOT.joinpath("training_engine").rglob("*.py"),
    ]
    used = {
        name for file in files for name in re.findall(r'\breach\("([^"]*)"\)', file.read_text())
    }
    assert used == failpoints.NAMES


@pytest.mark.parametrize(
    "text",
    [
        "no.such.place:kill9",
        "engine.step",
        "engine.step:",
        "engine.step:explode",
        "engine.step:kill9:3",
        "engine.step:pause",
        "engine.step:pause:soon",
        "engine.step:pause:-1",
        "engine.step:error:ENONSENSE",
        "engine.step:error:errorcode",
        "engine.step:kill9#",
        "engine.step:kill9#two",
        ":kill9",
        "engine.step:exit,nonsense",
    ],
)
def test_what_is_wrong_is_said(text: str) -> None:
    with pytest.raises(BadFailpoints, match=failpoints.VARIABLE):
        parse(text)


def test_errors_pauses_counts_and_markers(tmp_path: Path) -> None:
    arm("checkpoint.sync:error:EIO#2, engine.step:pause:0.05")
    reach("checkpoint.sync")
    with pytest.raises(OSError, match=r"checkpoint\.sync") as raised:
        reach("checkpoint.sync")
    assert raised.value.errno == errno.EIO
    reach("checkpoint.sync")
    began = time.perf_counter()
    reach("engine.step")
    assert time.perf_counter() - began >= 0.05
    arm(f"engine.event:error@{tmp_path / 'once'}")
    with pytest.raises(OSError) as full:
        reach("engine.event")
    assert full.value.errno == errno.ENOSPC
    reach("engine.event")
    arm(f"engine.event:error@{tmp_path / 'once'}")  # another process, as it were
    reach("engine.event")


@pytest.mark.parametrize(("action", "code"), [("kill9", -9), ("exit", failpoints.EXIT_CODE)])
def test_ends_of_a_process(action: str, code: int) -> None:
    program = "from training_engine.contract.failpoints import reach; reach('engine.step')"
    told = {**os.environ, failpoints.VARIABLE: f"engine.step:{action}"}
    assert subprocess.run([sys.executable, "-c", program], env=told, cwd=ROOT).returncode == code


def test_a_program_that_is_given_nonsense_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(failpoints.VARIABLE, "engine.stop:kill9")
    with pytest.raises(settings.BadSettings, match=r"there is no failpoint .engine\.stop."):
        settings.load()
    host = [sys.executable, "-m", "training_engine", str(tmp_path)]
    ended = subprocess.run(host, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "there is no failpoint 'engine.stop'" in ended.stderr
    assert not (tmp_path / "lock").exists()
