"""Whatever is damaged, the checkpoint before it is used, also after attempts that saved nothing."""

import errno
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training_engine.specs import (
    Outcome,
    StopAfter,
    greetings,
    make_spec,
    run_here,
    write_rows,
)
from tests.training_engine.test_resume import (
    StopAtOnce,
    again,
    assert_same_end,
    flip,
    names_in,
)
from training_engine import checkpoints
from training_engine.checkpoints import CorruptCheckpoint, Saved
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec

KNOBS = {
    "epochs": 2, "batch_size": 5, "save_steps": 3, "evaluation_steps": 4, "lora_dropout": 0.2,
}  # fmt: skip
# Without held-out rows no state is the best; stopped after step 7 there are checkpoints 6 and 7.
PLAIN = {**KNOBS, "evaluation_fraction": 0}
WEIGHTS = "weights.safetensors"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("data") / "data.jsonl", greetings(25))


@pytest.fixture(scope="module")
def spec(data: Path, tiny_model: Path) -> RunSpec:
    return make_spec(data, tiny_model, hyperparameters=PLAIN)


@pytest.fixture
def folder(tmp_path: Path, spec: RunSpec) -> Path:
    """The checkpoints of an attempt that was stopped after step 7."""
    first = run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 7))
    assert names_in(first) == ["step-00000006", "step-00000007"]
    return tmp_path / "1" / "checkpoints"


def short(spec: RunSpec, run_dir: Path, source: Path, attempt: int) -> Outcome:
    """An attempt that ends before its first step."""
    resumed = spec.model_copy(update={"resume_from": str(source), "attempt": attempt})
    return run_here(run_dir, resumed, StopAtOnce(run_dir))


def skipped(outcome: Outcome) -> list[tuple[Any, Any]]:
    told = [e for e in outcome.events if e.type == "notice" and e.code == "checkpoint_skipped"]
    return [(each.params["problem"], each.params["step"]) for each in told]


@pytest.mark.parametrize(("knobs", "step"), [(PLAIN, 7), (KNOBS, 8)])
def test_a_bit_flips_after_attempts_that_saved_nothing(
    tmp_path: Path, data: Path, tiny_model: Path, knobs: dict[str, Any], step: int
) -> None:
    """The newest is the best, or none is: the one before it comes along all the same."""
    torch.set_num_threads(1)
    spec = make_spec(data, tiny_model, hyperparameters=knobs)
    whole = run_here(tmp_path / "whole", spec)
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", step))
    newest, source = checkpoints.name_of(step), tmp_path / "1" / "checkpoints"
    for attempt in (2, 3):
        found = short(spec, tmp_path / str(attempt), source / newest, attempt)
        assert found.last.checkpoint == newest
        source = tmp_path / str(attempt) / "checkpoints"
    assert names_in(found) == ["step-00000006", newest]
    flip(source / newest / WEIGHTS)
    with pytest.raises(CorruptCheckpoint):  # the same file
        checkpoints.verify(tmp_path / "1" / "checkpoints" / newest)
    fourth = again(spec, tmp_path / "4", source / newest, 4)
    assert skipped(fourth) == [(f"{newest}/{WEIGHTS} differs from its manifest", 6)]
    assert_same_end(fourth, whole, 6)


def test_the_one_that_stands_by_makes_room(tmp_path: Path, spec: RunSpec, folder: Path) -> None:
    found = again(spec, tmp_path / "2", folder)
    assert found.code == ExitCode.FINISHED, found.last
    assert skipped(found) == []
    assert names_in(found) == ["step-00000009", "step-00000010"]


def test_the_one_that_would_stand_by_is_damaged(
    tmp_path: Path, spec: RunSpec, folder: Path
) -> None:
    flip(folder / "step-00000006" / WEIGHTS)
    found = short(spec, tmp_path / "2", folder, 2)
    assert skipped(found) == [(f"step-00000006/{WEIGHTS} differs from its manifest", 7)]
    assert names_in(found) == ["step-00000007"]


def test_no_room_for_the_one_that_would_stand_by(
    tmp_path: Path, spec: RunSpec, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = checkpoints.adopt

    def adopt(source: Path, parent: Path) -> Saved:
        if source.name == "step-00000006":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, parent)

    monkeypatch.setattr(checkpoints, "adopt", adopt)
    found = again(spec, tmp_path / "2", folder)
    assert found.code == ExitCode.FINISHED, found.last


@pytest.mark.parametrize("named", [True, False])
def test_all_that_are_damaged_are_named(
    tmp_path: Path, spec: RunSpec, folder: Path, named: bool
) -> None:
    flip(folder / "step-00000006" / "state.json")
    flip(folder / "step-00000007" / WEIGHTS)
    found = again(spec, tmp_path / "2", folder / "step-00000007" if named else folder)
    assert (found.code, found.last.code) == (ExitCode.FAILED, "checkpoint_corrupt")
    assert found.last.message == (
        "There is no whole checkpoint to continue from: "
        f"step-00000007/{WEIGHTS} differs from its manifest; "
        "step-00000006/state.json differs from its manifest."
    )
    assert not (tmp_path / "2" / "checkpoints").exists()


@pytest.mark.parametrize("gone", ["manifest", "folder"])
def test_a_named_one_that_has_no_manifest(
    tmp_path: Path, spec: RunSpec, folder: Path, gone: str
) -> None:
    named = folder / "step-00000007"
    (named / "MANIFEST.json").unlink()
    if gone == "folder":
        named.rename(tmp_path / "elsewhere")
    found = again(spec, tmp_path / "2", named)
    assert found.code == ExitCode.FINISHED, found.last
    assert skipped(found) == [("step-00000007/MANIFEST.json can not be read", 6)]
    assert found.notices()["resumed"] == {"step": 6}
    (folder / "step-00000006" / "MANIFEST.json").unlink()
    found = again(spec, tmp_path / "3", named)
    assert found.last.code == "checkpoint_corrupt"
    assert "step-00000006/MANIFEST.json" in found.last.message
    assert "step-00000007/MANIFEST.json" in found.last.message


def test_who_named_an_older_one_went_past_a_newer_one_without_manifest(
    tmp_path: Path, spec: RunSpec, folder: Path
) -> None:
    """The platform looks for manifests: that one is missing must not go unsaid."""
    found = short(spec, tmp_path / "2", folder / "step-00000006", 2)
    assert skipped(found) == []  # it was chosen
    (folder / "step-00000007" / "MANIFEST.json").unlink()
    found = short(spec, tmp_path / "3", folder / "step-00000006", 2)
    assert skipped(found) == [("step-00000007/MANIFEST.json is missing", 6)]
