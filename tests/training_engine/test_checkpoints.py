"""A checkpoint is whole or absent, and only what verifies is resumed from."""

import errno
import os
import shutil
from pathlib import Path

import pytest
import torch

from training_engine import checkpoints
from training_engine.checkpoints import CorruptCheckpoint, ForeignCheckpoint, Saved

IDENTITY = {"dataset": "d1", "model": "m1", "configuration": "c1"}


def save(run_dir: Path, step: int, value: float = 0.0, attempt: int = 1) -> Saved:
    run_dir.mkdir(exist_ok=True)
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


def test_leftovers_of_a_killed_process_are_no_hindrance(tmp_path: Path) -> None:
    """It was killed while it deleted step 1; the same steps come again in the same folder."""
    save(tmp_path, 1)
    save(tmp_path, 2)
    old = folder(tmp_path) / ".tmp-old-step-00000001"
    old.mkdir()
    (old / "weights.safetensors").write_text("half")
    (folder(tmp_path) / ".tmp-3-1").mkdir()
    checkpoints.prune(tmp_path, set())
    assert [path.name for path in folder(tmp_path).iterdir()] == ["step-00000002"]
    old.mkdir()
    (old / "weights.safetensors").write_text("half")
    again = save(tmp_path, 2, 5.0)
    checkpoints.prune(tmp_path, set())
    assert [path.name for path in folder(tmp_path).iterdir()] == [again.name]
    opened, _ = checkpoints.newest(folder(tmp_path), IDENTITY)
    assert opened is not None
    assert opened.tensors("weights")["w"][0].item() == 5.0


@pytest.mark.parametrize("change", [('"step": 2', '"step": 3'), ("d1", "d2"), ("sha256", "sha255")])
def test_a_manifest_that_says_something_else_is_damaged(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    """It is no checkpoint of another run, and not of another step."""
    save(tmp_path, 1)
    manifest = folder(tmp_path) / save(tmp_path, 2).name / "MANIFEST.json"
    manifest.write_text(manifest.read_text().replace(*change))
    opened, skipped = checkpoints.newest(folder(tmp_path), IDENTITY)
    assert opened is not None
    assert opened.step == 1
    assert "MANIFEST.json" in skipped[0]


def test_what_an_older_version_did_not_note_is_not_asked_for(tmp_path: Path) -> None:
    save(tmp_path, 1)
    now = {**IDENTITY, "precision": "float32"}
    opened, _ = checkpoints.newest(folder(tmp_path), now)
    assert opened is not None
    noted = checkpoints.save(tmp_path, step=2, attempt=1, tensors={}, state={}, identity=now)
    with pytest.raises(ForeignCheckpoint, match="another precision"):
        checkpoints.open_checkpoint(folder(tmp_path) / noted.name, {**now, "precision": "auto"})


def test_a_result_is_no_checkpoint(tmp_path: Path) -> None:
    checkpoints.write_manifest(tmp_path, {"run_id": "run-1"})
    with pytest.raises(ForeignCheckpoint):
        checkpoints.newest(tmp_path, IDENTITY)


def test_an_adopted_one_is_the_same_and_takes_no_room(tmp_path: Path) -> None:
    saved = save(tmp_path / "1", 3, 1.5)
    source, own = folder(tmp_path / "1") / saved.name, tmp_path / "own"
    assert checkpoints.adopt(source, own) == saved
    opened, _ = checkpoints.newest(own, IDENTITY)
    assert opened is not None
    assert opened.tensors("weights")["w"][0].item() == 1.5
    assert all((own / saved.name / file.name).samefile(file) for file in source.iterdir())
    shutil.rmtree(tmp_path / "1")
    checkpoints.verify(own / saved.name)


def no_link(*args: object) -> None:
    raise OSError(errno.EXDEV, "Invalid cross-device link")


def test_on_another_disk_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_link)
    saved = save(tmp_path / "1", 3)
    source, own = folder(tmp_path / "1") / saved.name, tmp_path / "own"
    assert checkpoints.adopt(source, own) == saved
    checkpoints.verify(own / saved.name)
    assert not any((own / saved.name / file.name).samefile(file) for file in source.iterdir())


@pytest.mark.parametrize("linked", [True, False])
def test_adopted_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    if not linked:
        monkeypatch.setattr(os, "link", no_link)
    source = folder(tmp_path / "1") / save(tmp_path / "1", 3).name
    own = tmp_path / "own"

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match="Input/output"):
            checkpoints.adopt(source, own)
    assert list(own.iterdir()) == []
    checkpoints.adopt(source, own)
    checkpoints.verify(own / source.name)
