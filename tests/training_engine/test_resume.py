"""Stopped and resumed is the same run: bit for bit, in losses, weights and consumed samples."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.specs import (
    Outcome,
    StopAfter,
    greetings,
    make_spec,
    run_here,
    write_rows,
)
from training_engine.contract.choices import Precision
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.control import Stop, StopRequests
from training_engine.data import ledger

# 24 samples and batches of 5: steps 5, 10 and 15 cross an epoch's end, warm-up lasts 2 steps.
KNOBS = {
    "epochs": 3,
    "batch_size": 5,
    "evaluation_steps": 4,
    "save_steps": 3,
    "warmup_ratio": 0.1,
    "lora_dropout": 0.2,
}
STEPS = 15


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("data") / "data.jsonl", greetings(25))


@pytest.fixture(scope="module")
def spec(data: Path, tiny_model: Path) -> RunSpec:
    return make_spec(data, tiny_model, hyperparameters=KNOBS)


@pytest.fixture(scope="module")
def whole(spec: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The run that is never stopped; in the module's own threads, so set here too."""
    torch.set_num_threads(1)
    return run_here(tmp_path_factory.mktemp("whole") / "run", spec)


def adapter(outcome: Outcome) -> dict[str, torch.Tensor]:
    return load_file(outcome.run_dir / "output" / "adapter_model.safetensors")


def again(spec: RunSpec, run_dir: Path, source: Path, attempt: int = 2) -> Outcome:
    resumed = spec.model_copy(update={"resume_from": str(source), "attempt": attempt})
    return run_here(run_dir, resumed)


def flip(file: Path) -> Path:
    """One bit of a file."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    return file


def assert_same_end(resumed: Outcome, whole: Outcome, after: int) -> None:
    assert resumed.code == ExitCode.FINISHED
    for name in ("loss", "eval_loss", "grad_norm", "learning_rate"):
        expected = {step: v for step, v in whole.series(name).items() if step > after}
        assert resumed.series(name) == expected
    assert ledger.read(resumed.run_dir / "ledger.bin") == ledger.read(whole.run_dir / "ledger.bin")
    for name, value in adapter(whole).items():
        assert torch.equal(adapter(resumed)[name], value), name
    assert resumed.last.metrics == whole.last.metrics


def test_the_whole_run(whole: Outcome) -> None:
    assert whole.last.step == STEPS
    assert len(ledger.read(whole.run_dir / "ledger.bin")) == 3 * 24


@pytest.mark.parametrize("step", [1, 2, 5, 7, 15])
def test_stopped_anywhere_and_resumed(
    tmp_path: Path, spec: RunSpec, whole: Outcome, step: int
) -> None:
    """In warm-up, at its end, at an epoch's end, in its midst, after the last step."""
    first = run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", step))
    if step < STEPS:
        assert first.code == ExitCode.STOPPED
        assert first.last.checkpoint == f"step-{step:08d}"
    resumed = again(spec, tmp_path / "2", tmp_path / "1" / "checkpoints")
    assert resumed.notices()["resumed"] == {"step": step}
    assert_same_end(resumed, whole, step)


@pytest.mark.long
def test_stopped_twice(tmp_path: Path, spec: RunSpec, whole: Outcome) -> None:
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 4))
    middle = spec.model_copy(update={"resume_from": str(tmp_path / "1" / "checkpoints")})
    second = run_here(tmp_path / "2", middle, StopAfter(tmp_path / "2", 9))
    assert second.last.checkpoint == "step-00000009"
    resumed = again(spec, tmp_path / "3", tmp_path / "2" / "checkpoints" / "step-00000009", 3)
    assert_same_end(resumed, whole, 9)


@pytest.mark.long
def test_the_attempt_before_need_not_stay(tmp_path: Path, spec: RunSpec, whole: Outcome) -> None:
    """A moved checkpoint has no ledger beside it: it is written anew from the order."""
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 5))
    shutil.copytree(tmp_path / "1" / "checkpoints", tmp_path / "elsewhere" / "checkpoints")
    shutil.rmtree(tmp_path / "1")
    resumed = again(spec, tmp_path / "2", tmp_path / "elsewhere" / "checkpoints")
    assert_same_end(resumed, whole, 5)


@pytest.mark.long
@pytest.mark.parametrize("named", [True, False])
def test_a_damaged_checkpoint_is_passed_over(
    tmp_path: Path, spec: RunSpec, whole: Outcome, named: bool
) -> None:
    """Whether the folder of all or the damaged one itself is named."""
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 7))
    folder = tmp_path / "1" / "checkpoints"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["step-00000004", "step-00000006", "step-00000007"]
    broken = flip(folder / "step-00000007" / "weights.safetensors")
    resumed = again(spec, tmp_path / "2", broken.parent if named else folder)
    skipped = resumed.notices()["checkpoint_skipped"]
    assert "step-00000007/weights.safetensors" in skipped["problem"]
    assert skipped["step"] == 6
    assert_same_end(resumed, whole, 6)


@pytest.mark.long
def test_the_best_is_the_newest_and_damaged(
    tmp_path: Path, spec: RunSpec, whole: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before it is there although it is neither the newest nor the best."""
    first = run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 8))
    folder = tmp_path / "1" / "checkpoints"
    state = json.loads((folder / first.last.checkpoint / "state.json").read_text())
    assert (first.last.step, state["kept_step"]) == (8, 8)
    flip(folder / first.last.checkpoint / "weights.safetensors")
    resumed = again(spec, tmp_path / "2", folder)
    assert resumed.notices()["checkpoint_skipped"]["step"] == 6
    assert_same_end(resumed, whole, 6)


def names_in(outcome: Outcome) -> list[str]:
    return sorted(path.name for path in (outcome.run_dir / "checkpoints").iterdir())


class StopAtOnce(StopRequests):
    """Asks to stop from the beginning, or from a number of looks on."""

    def __init__(self, run_dir: Path, looks: int = 0) -> None:
        super().__init__(run_dir)
        self._left = looks

    def wanted(self) -> Stop | None:
        self._left -= 1
        return Stop.DISCARD if self._left < 0 else None


@pytest.mark.long
@pytest.mark.parametrize("looks", [0, 3])
def test_an_attempt_that_ends_before_its_first_checkpoint_leaves_what_it_began_with(
    tmp_path: Path, spec: RunSpec, whole: Outcome, looks: int
) -> None:
    """Stopped while it prepares, or before its first step; the best one comes along."""
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 10))
    resumed = {"resume_from": str(tmp_path / "1" / "checkpoints"), "attempt": 2}
    stop = StopAtOnce(tmp_path / "2", looks)
    second = run_here(tmp_path / "2", spec.model_copy(update=resumed), stop)
    assert second.code == ExitCode.STOPPED
    assert second.series("loss") == {}
    assert (second.last.step, second.last.checkpoint) == (10, "step-00000010")
    (adopted,) = [event for event in second.events if event.type == "checkpoint"]
    assert (adopted.step, adopted.name) == (10, "step-00000010")
    assert names_in(second) == ["step-00000008", "step-00000009", "step-00000010"]
    shutil.rmtree(tmp_path / "1")
    assert_same_end(again(spec, tmp_path / "3", tmp_path / "2" / "checkpoints", 3), whole, 10)


def test_nothing_whole_is_said(tmp_path: Path, spec: RunSpec) -> None:
    (tmp_path / "empty").mkdir()
    outcome = again(spec, tmp_path / "2", tmp_path / "empty")
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "checkpoint_corrupt")


def test_another_runs_checkpoint_is_refused(tmp_path: Path, spec: RunSpec) -> None:
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 3))
    others = {
        "hyperparameters": spec.hyperparameters.model_copy(update={"learning_rate": 0.1}),
        "validation_dataset": spec.dataset.model_copy(update={"sha256": "1" * 64}),
        "precision": Precision.BFLOAT16,
    }
    said = {"hyperparameters": "learning_rate."}
    for field, value in others.items():
        other = spec.model_copy(update={field: value})
        outcome = again(other, tmp_path / field, tmp_path / "1" / "checkpoints")
        assert outcome.last.code == "checkpoint_corrupt"
        assert f"another {said.get(field, field)}" in outcome.last.message


def test_other_versions_are_said(
    tmp_path: Path, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 3))
    monkeypatch.setattr("training_engine.start.versions", lambda: {"torch": "9.9"})
    outcome = again(spec, tmp_path / "2", tmp_path / "1" / "checkpoints")
    assert "resumed_with_other_versions" in outcome.notices()
    assert outcome.code == ExitCode.FINISHED


@pytest.mark.long
def test_full_tuning_resumes_exactly_in_bfloat16(
    tmp_path: Path, data: Path, tiny_model: Path
) -> None:
    knobs = {**KNOBS, "epochs": 1, "lora_dropout": 0}
    spec = make_spec(data, tiny_model, method="full", precision="bfloat16", hyperparameters=knobs)
    whole = run_here(tmp_path / "whole", spec)
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 2))
    resumed = again(spec, tmp_path / "2", tmp_path / "1" / "checkpoints")
    expected = {step: v for step, v in whole.series("loss").items() if step > 2}
    assert resumed.series("loss") == expected
    mine, wanted = (load_file(o.run_dir / "output" / "model.safetensors") for o in (resumed, whole))
    assert all(torch.equal(mine[name], value) for name, value in wanted.items())
