"""Kills for memory are put down to the process that was killed, and only just after they came."""

from pathlib import Path

import pytest

from training_engine.run_host import records
from training_engine.run_host.records import OutOfMemoryCount


@pytest.fixture
def counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a control group in which two were killed long ago."""
    file = tmp_path / "memory.events"
    file.write_text("low 0\noom 2\noom_kill 2\n")
    monkeypatch.setattr(records, "memory_counter", lambda: file)
    return file


def test_a_kill_is_counted_once_it_came(counter: Path) -> None:
    count = OutOfMemoryCount()
    assert not count.increased()
    counter.write_text("oom 3\noom_kill 3\n")
    assert count.increased()
    count.look()
    assert count.increased()


def test_a_kill_of_long_ago_is_forgotten(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends the engine by hand an hour later did not run out of memory."""
    monkeypatch.setattr(records, "RECENT_S", 0)
    count = OutOfMemoryCount()
    counter.write_text("oom_kill 3\n")
    count.look()
    assert count.increased()
    count.look()
    assert not count.increased()


def test_the_machine_is_asked_where_no_group_tells(counter: Path) -> None:
    counter.unlink()
    count = OutOfMemoryCount()
    assert not count.increased()
    counter.write_text("oom_kill 0\n")  # a group that tells again knows no more than the machine
    assert not count.increased()
