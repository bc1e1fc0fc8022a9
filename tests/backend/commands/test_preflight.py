"""What is wrong around the platform has a name and a next step before anything starts."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

import pytest

from backend.commands import preflight
from backend.commands.checks import Check, Level
from backend.settings import PROJECT_ROOT, Settings

USAGE = namedtuple("USAGE", "total used free")


def only(found: list[Check]) -> Check:
    assert len(found) == 1, found
    assert found[0].fix
    return found[0]


@pytest.mark.parametrize(
    ("allowed", "level"), [(100, Level.ERROR), (256, Level.WARNING), (4096, None)]
)
def test_open_files(monkeypatch: pytest.MonkeyPatch, allowed: int, level: Level | None) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (allowed, allowed))
    found = list(preflight.open_files())
    assert [check.level for check in found] == ([level] if level else [])
    assert all(str(allowed) in check.detail and "ulimit -n" in str(check.fix) for check in found)


def test_the_limit_is_raised_as_far_as_allowed() -> None:
    code = (
        "import resource as r; from backend.commands.preflight import raise_open_files; "
        "r.setrlimit(r.RLIMIT_NOFILE, (256, 512)); raise_open_files(); "
        "print(r.getrlimit(r.RLIMIT_NOFILE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT_ROOT
    )
    assert done.stdout == "(512, 512)\n"


def test_no_place_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert list(preflight.temporary_files()) == []
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nothing")
    found = only(list(preflight.temporary_files()))
    assert (found.level, "TMPDIR" in str(found.fix)) == (Level.ERROR, True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", "/proc")
    found = only(list(preflight.temporary_files()))
    assert found.level is Level.WARNING
    assert "/proc can not be written" in found.detail


def test_little_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: USAGE(64 * 1024**2, 0, 64 * 1024**2))
    found = only(list(preflight.shared_memory()))
    assert found.detail.startswith("64 MB")
    assert "--shm-size" in str(found.fix)
    monkeypatch.undo()
    monkeypatch.setattr(preflight, "SHARED_MEMORY", Path("/proc/nothing"))
    assert "is missing" in only(list(preflight.shared_memory())).detail


def test_little_disk(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: USAGE(10**12, 0, 10**9))
    assert "1.0 GB free" in only(list(preflight.disk(settings))).detail
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: USAGE(10**12, 0, 10**11))
    assert list(preflight.disk(settings)) == []


def test_a_clock_that_went_back(settings: Settings) -> None:
    lock = settings.data_dir / "lock"
    lock.touch()
    os.utime(lock, (time.time() + 60, time.time() + 60))
    assert list(preflight.clock(settings)) == [], "a minute is no trouble"
    os.utime(lock, (time.time() + 86_400, time.time() + 86_400))
    found = only(list(preflight.clock(settings)))
    assert "last started here" in found.detail
    assert "timedatectl" in str(found.fix)
