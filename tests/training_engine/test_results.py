"""Which state becomes the result: best, last, fastest; and what else a run keeps."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.specs import Outcome, greetings, make_spec, run_here, write_rows
from training_engine import compute
from training_engine.compute import Measured
from training_engine.contract.choices import OutputCheckpoint
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.plan import Plan
from training_engine.run import Run

# Held-out losses before the first step and after each.
CURVE = [3.0, 1.0, 0.9, 0.895, 0.893, 0.95, 0.97]
NAME = "model.layers.0.self_attn.q_proj"


@pytest.fixture
def spec(tmp_path: Path, tiny_model: Path) -> RunSpec:
    data = write_rows(tmp_path / "data.jsonl", greetings(40))
    knobs = {"max_steps": 6, "evaluation_steps": 1, "evaluation_fraction": 0.1, "lora_dropout": 0.2}
    return make_spec(data, tiny_model, hyperparameters=knobs)


@pytest.fixture
def curve(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Evaluations measure these, one after the other."""
    real, left = compute.fitting, list(CURVE)

    def fitting(run: Any, data: Any, samples: Any, *, learn: bool, look: Any = None) -> Measured:
        if learn:
            return real(run, data, samples, learn=True)
        return Measured(left.pop(0), {})

    monkeypatch.setattr(compute, "fitting", fitting)
    return left


def with_knobs(spec: RunSpec, **knobs: Any) -> RunSpec:
    chosen = spec.hyperparameters.model_copy(update=knobs)
    return spec.model_copy(update={"hyperparameters": chosen})


def result(outcome: Outcome) -> torch.Tensor:
    written = load_file(outcome.run_dir / "output" / "adapter_model.safetensors")
    return written[f"base_model.model.{NAME}.lora_B.weight"]


def kept(outcome: Outcome) -> dict[int, torch.Tensor]:
    """The checkpoints that are left, by step."""
    folders = (outcome.run_dir / "checkpoints").iterdir()
    return {
        int(f.name.removeprefix("step-")): load_file(f / "weights.safetensors")[f"{NAME}.lora_b"]
        for f in folders
    }


@pytest.mark.parametrize(("policy", "step"), [("best", 4), ("fastest", 2), ("last", 6)])
def test_the_state_that_was_asked_for(
    tmp_path: Path, spec: RunSpec, curve: list[float], policy: str, step: int
) -> None:
    wanted = OutputCheckpoint(policy)
    outcome = run_here(tmp_path / "run", with_knobs(spec, output_checkpoint=wanted))
    assert outcome.code == ExitCode.FINISHED, outcome.last
    assert curve == []
    checkpoints = kept(outcome)
    assert sorted(checkpoints) == sorted({step, 5, 6})
    assert torch.equal(result(outcome), checkpoints[step])
    metrics = outcome.last.metrics
    assert metrics["output_step"] == step
    assert metrics["best_step"] == 4
    assert metrics["eval_loss"] == CURVE[step]
    for other, weights in checkpoints.items():
        assert torch.equal(weights, checkpoints[step]) == (other == step)


def test_without_evaluation_the_last_state_is_the_result(tmp_path: Path, spec: RunSpec) -> None:
    outcome = run_here(tmp_path / "run", with_knobs(spec, evaluation_fraction=0, save_steps=2))
    assert outcome.last.metrics["output_step"] == 6
    assert sorted(kept(outcome)) == [4, 6]
    assert torch.equal(result(outcome), kept(outcome)[6])


def test_the_best_is_saved_although_no_saving_was_due(
    tmp_path: Path, spec: RunSpec, curve: list[float]
) -> None:
    outcome = run_here(tmp_path / "run", with_knobs(spec, save_steps=100))
    saved = [e.step for e in outcome.events if e.type == "checkpoint"]
    assert saved == [1, 2, 3, 4, 6]
    assert outcome.last.metrics["output_step"] == 4


@pytest.mark.parametrize(
    ("evaluation_steps", "saved"),
    [(1000, [*range(3, 25, 3), 25]), (5, [3, 5, 6, 9, 10, 12, 15, 18, 20, 21, 24, 25])],
)
def test_much_held_out_does_not_make_checkpoints_rare(
    evaluation_steps: int, saved: list[int]
) -> None:
    """Evaluations may be few: what is lost by a kill is a tenth of the run at most."""
    plan = Plan(100, 100, 25, 4, evaluation_steps, save_steps=None, sample_steps=None)
    assert [step for step in range(1, 26) if plan.saves(step)] == saved


def test_the_last_state_stands_in_for_a_result_that_is_damaged(
    tmp_path: Path, spec: RunSpec, curve: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of training must not be lost over one flipped bit: the weights in memory are sound."""
    real = Run.load_kept

    def load_kept(run: Run) -> int:
        file = run.run_dir / "checkpoints" / "step-00000004" / "weights.safetensors"
        file.write_bytes(file.read_bytes()[:-1])
        return real(run)

    monkeypatch.setattr(Run, "load_kept", load_kept)
    outcome = run_here(tmp_path / "run", spec)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    notice = outcome.notices()["result_damaged"]
    assert notice["step"] == 6
    assert "step-00000004/weights" in notice["problem"]
    (told,) = (e for e in outcome.events if e.type == "notice" and e.code == "result_damaged")
    assert told.message.endswith("to have the other state, run it again.")
    assert outcome.last.metrics["output_step"] == 6
    assert outcome.last.metrics["eval_loss"] == CURVE[6]
    last = load_file(tmp_path / "run" / "checkpoints" / "step-00000006" / "weights.safetensors")
    assert torch.equal(result(outcome), last[f"{NAME}.lora_b"])


def test_a_run_that_ended_early_stays_ended(
    tmp_path: Path, spec: RunSpec, curve: list[float]
) -> None:
    """Killed between its last step and its end, a resumed run must not train on."""
    spec = with_knobs(spec, early_stopping_patience=1)
    first = run_here(tmp_path / "1", spec)
    assert first.last.step == 5
    assert first.notices()["early_stopped"]["best_step"] == 4
    source = str(tmp_path / "1" / "checkpoints")
    again = run_here(tmp_path / "2", spec.model_copy(update={"resume_from": source, "attempt": 2}))
    assert again.code == ExitCode.FINISHED, again.last
    assert again.series("loss") == {}
    assert again.last.metrics == first.last.metrics
    assert torch.equal(result(again), result(first))
    assert "early_stopped" in again.notices()


@pytest.mark.parametrize(("policy", "step"), [("last", 6), ("best", 4)])
def test_another_policy_from_a_resume_on(
    tmp_path: Path, spec: RunSpec, curve: list[float], policy: str, step: int
) -> None:
    """It was to be the best; what is asked for at the end counts."""
    first = run_here(tmp_path / "1", with_knobs(spec, early_stopping_patience=1))
    assert first.last.step == 5
    source = str(tmp_path / "1" / "checkpoints")
    later = with_knobs(spec, output_checkpoint=OutputCheckpoint(policy))
    again = run_here(tmp_path / "2", later.model_copy(update={"resume_from": source, "attempt": 2}))
    assert again.code == ExitCode.FINISHED, again.last
    assert again.last.metrics["output_step"] == step
    assert torch.equal(result(again), kept(again)[step])


def test_the_kept_checkpoint_may_be_damaged(
    tmp_path: Path, spec: RunSpec, curve: list[float]
) -> None:
    """The one that is continued from stands in for it, and that is said."""
    run_here(tmp_path / "1", with_knobs(spec, early_stopping_patience=1))
    source = tmp_path / "1" / "checkpoints"
    (source / "step-00000004" / "optimizer.safetensors").write_bytes(b"")
    again = spec.model_copy(update={"resume_from": str(source), "attempt": 2})
    outcome = run_here(tmp_path / "2", again)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    assert "step-00000004/optimizer" in outcome.notices()["checkpoint_skipped"]["problem"]
    assert outcome.last.metrics["output_step"] == 5
    assert torch.equal(result(outcome), kept(outcome)[5])
