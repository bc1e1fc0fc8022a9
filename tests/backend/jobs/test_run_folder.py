"""The folder of an attempt: made once, locked by whoever lives, read with suspicion."""

import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from backend.ids import new_id
from backend.jobs import run_folder
from backend.jobs.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A folder with its spec."""
    made = RunFolder.of(tmp_path, new_id(), 1)
    made.create({"kind": "train", "name": "ünïcode"})
    return made


def test_a_folder_is_made_once_and_for_its_owner_only(folder: RunFolder) -> None:
    assert json.loads(folder.spec_file.read_bytes()) == {"kind": "train", "name": "ünïcode"}
    for place in (folder.path, folder.path.parent, folder.path / "control"):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert [file.name for file in folder.path.iterdir() if file.is_file()] == ["spec.json"]
    with pytest.raises(FileExistsError):
        folder.create({"kind": "other"})


def test_the_lock_tells_who_lives(folder: RunFolder) -> None:
    assert not folder.is_locked()
    descriptor = os.open(folder.lock_file, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert folder.is_locked()
        with folder.taken() as ours:
            assert not ours
    finally:
        os.close(descriptor)
    assert not folder.is_locked()
    with folder.taken() as ours, folder.taken() as second:
        assert (ours, second) == (True, False)


def test_a_missing_folder_is_not_locked(tmp_path: Path) -> None:
    folder = RunFolder.of(tmp_path, new_id(), 1)
    assert not folder.is_locked()
    assert not folder.path.exists()


def test_closing_for_good_does_not_overwrite_the_truth(folder: RunFolder) -> None:
    folder.close_for_good({"abandoned": True})
    assert folder.exit_facts() == {"abandoned": True}
    folder.close_for_good({"abandoned": False})
    assert folder.exit_facts() == {"abandoned": True}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff", b'{"a":' + b" " * 70_000])
def test_torn_or_strange_facts_read_as_absent(folder: RunFolder, content: bytes) -> None:
    folder.exit_file.write_bytes(content)
    assert folder.exit_facts() is None


@pytest.mark.parametrize("name", ["", ".", "..", "../1", "/etc", "step-1/..", ".tmp-3-1"])
def test_a_checkpoint_name_can_not_leave_its_folder(folder: RunFolder, name: str) -> None:
    (folder.checkpoints_dir / "step-1").mkdir(parents=True)
    (folder.checkpoints_dir / "MANIFEST.json").write_text("{}")
    (folder.path / "MANIFEST.json").write_text("{}")
    assert folder.checkpoint_dir(name) is None


def test_a_checkpoint_counts_once_it_has_its_manifest(folder: RunFolder) -> None:
    place = folder.checkpoints_dir / "step-2"
    place.mkdir(parents=True)
    assert folder.checkpoint_dir("step-2") is None
    (place / "MANIFEST.json").write_text("{}")
    assert folder.checkpoint_dir("step-2") == place


def test_attempts_are_found_in_order_and_removed_together(tmp_path: Path) -> None:
    job = new_id()
    for number in (10, 2, 1):
        RunFolder.of(tmp_path, job, number).create({})
    (tmp_path / str(job) / "notes").mkdir()
    assert [found.attempt for found in run_folder.attempts(tmp_path, job)] == [1, 2, 10]
    run_folder.remove_all(tmp_path, job)
    assert run_folder.attempts(tmp_path, job) == []
    run_folder.remove_all(tmp_path, job)
