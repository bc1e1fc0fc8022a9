"""Threads wait as suits what else the machine does."""

from pathlib import Path

import pytest

from training_engine import tuning


def stat(idle: int, user: int) -> str:
    return f"cpu  {user} 0 10 {idle} 5 0 0 0 0 0\ncpu0 1 2 3\n"


@pytest.mark.parametrize(
    ("looks", "busy"),
    [
        pytest.param([(2, 98)], False, id="quiet"),
        pytest.param([(60, 40)], True, id="busy"),
        pytest.param([(60, 40), (60, 40), (1, 99), (60, 40)], False, id="busy for a moment"),
    ],
)
def test_threads_sleep_beside_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    looks: list[tuple[int, int]],
    busy: bool,
) -> None:
    path = tmp_path / "stat"
    monkeypatch.setattr(tuning, "STAT", path)

    def begin() -> None:
        """Ticks of users and of idling grow by what the next look shows; the last one repeats."""
        ticks, left = [1000, 1000], list(looks)
        path.write_text(stat(ticks[1], ticks[0]))

        def passes(_: float) -> None:
            user, idle = left.pop(0) if len(left) > 1 else left[0]
            ticks[0] += user
            ticks[1] += idle
            path.write_text(stat(ticks[1], ticks[0]))

        monkeypatch.setattr(tuning.time, "sleep", passes)

    begin()
    assert tuning.others_compute() is busy
    begin()
    expected = tuning.SLEEPING if busy else tuning.SPINNING
    assert tuning.engine_variables() == {**tuning.FIXED, **expected}


def test_where_there_is_no_such_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "STAT", tmp_path / "none")
    monkeypatch.setattr(tuning.os, "getloadavg", lambda: (50.0, 0.0, 0.0))
    monkeypatch.setattr(tuning.os, "cpu_count", lambda: 2)
    assert tuning.others_compute()


def test_this_machine_is_read() -> None:
    assert isinstance(tuning.others_compute(), bool)
