"""A checkpoint is whole or absent, and only what verifies is resumed from."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training_engine import checkpoints
from training_engine.checkpoints import CorruptCheckpoint, ForeignCheckpoint, Saved

IDENTITY = {"dataset": "d1", "model": "m1", "configuration": "c1"}


def save(run_dir: Path, step: int, value: float = 0.0, attempt: int = 1) -> Saved:
    return checkpoints.save(
        run_dir,
        step=step,
        attempt=attempt,
        tensors={"weights": {"w": torch.full((64,), value)}},
        state={"position": step, "rng": [1, 2, 3]},
        identity=IDENTITY,
    )


def folder(run_dir: Path) -> Path:
    return run_dir / "checkpoints"


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = save(tmp_path, 7, 1.5)
    opened, skipped = checkpoints.newest(folder(tmp_path), IDENTITY)
    assert opened is not None
    assert (opened.step, skipped) == (7, [])
    assert opened.folder.name == saved.name
    assert opened.state == {"position": 7, "rng": [1, 2, 3]}
    assert torch.equal(opened.tensors("weights")["w"], torch.full((64,), 1.5))


def test_takes_the_newest_by_step_not_by_name_length(tmp_path: Path) -> None:
    for step in (9, 100, 20):
        save(tmp_path, step)
    opened, _ = checkpoints.newest(folder(tmp_path), IDENTITY)
    assert opened is not None
    assert opened.step == 100


def test_a_flipped_bit_falls_back_and_names_the_file(tmp_path: Path) -> None:
    save(tmp_path, 1)
    saved = save(tmp_path, 2)
    path = folder(tmp_path) / saved.name / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    opened, skipped = checkpoints.newest(folder(tmp_path), IDENTITY)
    assert opened is not None
    assert opened.step == 1
    assert "weights.safetensors" in skipped[0]


@pytest.mark.parametrize("missing", ["MANIFEST.json", "state.json", "weights.safetensors"])
def test_a_missing_file_falls_back(tmp_path: Path, missing: str) -> None:
    save(tmp_path, 1)
    (folder(tmp_path) / save(tmp_path, 2).name / missing).unlink()
    opened, skipped = checkpoints.newest(folder(tmp_path), IDENTITY)
    assert opened is not None
    assert opened.step == 1
    assert len(skipped) == 1


def test_another_runs_checkpoint_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 1)
    with pytest.raises(ForeignCheckpoint, match="dataset"):
        checkpoints.newest(folder(tmp_path), {**IDENTITY, "dataset": "d2"})


def test_nothing_there(tmp_path: Path) -> None:
    assert checkpoints.newest(folder(tmp_path), IDENTITY) == (None, [])


def test_a_failing_disk_leaves_the_old_one_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)
    calls = 0

    def failing(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="Input/output"):
        save(tmp_path, 2)
    assert [p.name for p in folder(tmp_path).iterdir()] == ["step-00000001"]


def test_a_full_disk_is_seen_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1000, 900, 100))
    with pytest.raises(OSError, match="free space") as caught:
        save(tmp_path, 1)
    assert caught.value.errno == errno.ENOSPC
    assert list(folder(tmp_path).iterdir()) == []


def test_prune_keeps_the_best_and_the_newest(tmp_path: Path) -> None:
    best = save(tmp_path, 1).name
    for step in (2, 3, 4):
        save(tmp_path, step)
    (folder(tmp_path) / ".tmp-9-1").mkdir()
    checkpoints.prune(tmp_path, {best})
    assert sorted(p.name for p in folder(tmp_path).iterdir()) == [best, "step-00000004"]


def test_prune_deletes_nothing_while_the_newest_does_not_verify(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (folder(tmp_path) / save(tmp_path, 2).name / "state.json").write_text("{}")
    with pytest.raises(CorruptCheckpoint):
        checkpoints.prune(tmp_path, set())
    assert len(list(folder(tmp_path).iterdir())) == 2


SAVER = """
import sys, torch
from pathlib import Path
from training_engine import checkpoints
run_dir = Path(sys.argv[1])
for step in range(1, 10_000):
    checkpoints.save(run_dir, step=step, attempt=1,
        tensors={"weights": {"w": torch.full((50_000,), float(step))}},
        state={"position": step}, identity={"run": "r"})
    checkpoints.prune(run_dir, set())
    if step == 1:
        print("ready", flush=True)
"""


@pytest.mark.long
def test_killed_at_any_moment_something_whole_is_left(tmp_path: Path) -> None:
    for n in range(30):
        run_dir = tmp_path / str(n)
        run_dir.mkdir()
        child = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(run_dir)], stdout=subprocess.PIPE
        )
        assert child.stdout
        child.stdout.readline()
        try:
            child.wait(timeout=0.05 + n * 0.013)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        opened, skipped = checkpoints.newest(run_dir / "checkpoints", {"run": "r"})
        assert opened is not None
        assert skipped == []
        assert opened.tensors("weights")["w"][0].item() == opened.step
