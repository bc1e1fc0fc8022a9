"""Threads wait as suits what else the machine does."""

from pathlib import Path

import pytest

from training_engine import tuning


def stat(idle: int, user: int) -> str:
    return f"cpu  {user} 0 10 {idle} 5 0 0 0 0 0\ncpu0 1 2 3\n"


@pytest.mark.parametrize(("user", "idle", "busy"), [(2, 98, False), (60, 40, True)])
def test_threads_sleep_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, idle: int, busy: bool
) -> None:
    path = tmp_path / "stat"
    path.write_text(stat(1000, 1000))
    monkeypatch.setattr(tuning, "STAT", path)
    later = stat(1000 + idle, 1000 + user)
    monkeypatch.setattr(tuning.time, "sleep", lambda _: path.write_text(later))
    assert tuning.others_compute() is busy
    path.write_text(stat(1000, 1000))
    expected = tuning.SLEEPING if busy else tuning.SPINNING
    assert tuning.engine_variables() == {**tuning.FIXED, **expected}


def test_where_there_is_no_such_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "STAT", tmp_path / "none")
    monkeypatch.setattr(tuning.os, "getloadavg", lambda: (50.0, 0.0, 0.0))
    monkeypatch.setattr(tuning.os, "cpu_count", lambda: 2)
    assert tuning.others_compute()


def test_this_machine_is_read() -> None:
    assert isinstance(tuning.others_compute(), bool)
