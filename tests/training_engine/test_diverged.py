"""A run that diverges: what is broken is never saved over what is sound, and that is said."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from training_engine import checkpoints
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.models.weights import TrainableWeights
from training_engine.objectives.criterion import Share
from training_engine.objectives.sft import NextToken

KNOBS = {"max_steps": 8, "evaluation_steps": 2, "evaluation_fraction": 0.2}


@pytest.fixture
def make(tmp_path: Path, tiny_model: Path) -> Callable[..., RunSpec]:
    data = write_rows(tmp_path / "data.jsonl", greetings(20))
    return lambda **knobs: make_spec(data, tiny_model, hyperparameters={**KNOBS, **knobs})


def break_weights(patch: pytest.MonkeyPatch, at: int, value: float) -> None:
    """The update of one step, counted from this call on, leaves a number that ruins the model."""
    real, calls = TrainableWeights.step, []

    def step(weights: TrainableWeights, rate: float) -> None:
        real(weights, rate)
        calls.append(rate)
        if len(calls) == at:
            for name, master in weights.masters.items():
                if name.endswith("lora_b"):
                    master.fill_(value)
            weights._publish()

    patch.setattr(TrainableWeights, "step", step)


def poison(patch: pytest.MonkeyPatch, steps: set[int]) -> None:
    """The losses of these steps, each a single row, are no numbers."""
    real, seen = NextToken.loss, []

    def loss(criterion: NextToken, *args: Any) -> Share:
        share = real(criterion, *args)
        if torch.is_grad_enabled():
            seen.append(share)
            share.loss = share.loss * (math.nan if len(seen) in steps else 1.0)
        return share

    patch.setattr(NextToken, "loss", loss)


def saved(outcome: Outcome) -> list[int]:
    return [event.step for event in outcome.events if event.type == "checkpoint"]


def assert_all_sound(outcome: Outcome, steps: list[int]) -> None:
    """These checkpoints are there, and whole, and every weight in them is a number."""
    folders = sorted((outcome.run_dir / "checkpoints").iterdir())
    assert [checkpoints.verify(folder)["step"] for folder in folders] == steps
    for folder in folders:
        weights = load_file(folder / "weights.safetensors").values()
        assert all(bool((value.abs() < 1e6).all()) for value in weights)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e37])
def test_a_broken_state_is_not_saved(
    tmp_path: Path, make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """Broken by the update of a step whose own loss was fine; 1e37 is a number yet."""
    break_weights(monkeypatch, 4, value)
    outcome = run_here(tmp_path / "run", make(save_steps=1))
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "nan_loss")
    assert outcome.last.params["step"] == 7
    assert outcome.series("loss")[4] is not None
    assert outcome.series("eval_loss")[4] is None
    assert saved(outcome) == [1, 2, 3]
    assert outcome.notices()["state_not_saved"] == {"step": 4}
    told = [e.message for e in outcome.events if e.type == "notice" and e.code == "state_not_saved"]
    assert "lower learning rate" in told[0]
    assert_all_sound(outcome, [2, 3])


def test_nor_when_the_user_stops_it_then(
    tmp_path: Path, make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_weights(monkeypatch, 4, 1e37)
    outcome = run_here(tmp_path / "run", make(save_steps=3), StopAfter(tmp_path / "run", 5))
    assert (outcome.code, outcome.last.step) == (ExitCode.STOPPED, 5)
    assert outcome.last.checkpoint == "step-00000003"
    assert_all_sound(outcome, [2, 3])


def test_without_evaluation_the_weights_tell(
    tmp_path: Path, make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_weights(monkeypatch, 4, math.inf)
    outcome = run_here(tmp_path / "run", make(save_steps=2, evaluation_fraction=0))
    assert outcome.last.code == "nan_loss"
    assert "the last checkpoint is sound" in outcome.last.hint
    assert saved(outcome) == [2]
    assert_all_sound(outcome, [2])


def test_no_checkpoint_is_promised_where_none_is(
    tmp_path: Path, make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_weights(monkeypatch, 1, math.inf)
    outcome = run_here(tmp_path / "run", make(save_steps=2, evaluation_fraction=0))
    assert (outcome.last.code, saved(outcome)) == ("nan_loss", [])
    assert "Lower the learning rate" in outcome.last.hint
    assert "checkpoint" not in outcome.last.hint


def test_broken_by_the_last_update(
    tmp_path: Path, make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With held-out rows the best state is the result; without there is none."""
    break_weights(monkeypatch, 8, math.nan)
    outcome = run_here(tmp_path / "1", make())
    assert outcome.code == ExitCode.FINISHED, outcome.last
    assert outcome.last.metrics["output_step"] == 6
    break_weights(monkeypatch, 8, math.nan)
    outcome = run_here(tmp_path / "2", make(evaluation_fraction=0, save_steps=7))
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "nan_loss")
    assert not (tmp_path / "2" / "output").exists()
    assert_all_sound(outcome, [7])


def test_a_checkpoint_that_was_due_is_made_up_for(
    tmp_path: Path, make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, {4})
    outcome = run_here(tmp_path / "run", make(save_steps=4, evaluation_fraction=0))
    assert outcome.code == ExitCode.FINISHED, outcome.last
    assert saved(outcome) == [5, 8]


def test_bad_steps_in_a_row_are_counted_over_a_resume(
    tmp_path: Path, make: Callable[..., RunSpec]
) -> None:
    """Also before the first update: adapters are looked at once there is one."""
    spec = make(evaluation_fraction=0, save_steps=100)
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, {1, 2})
        first = run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 2))
    assert first.last.checkpoint == "step-00000002"
    again = {"resume_from": str(tmp_path / "1" / "checkpoints"), "attempt": 2}
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, {1})
        second = run_here(tmp_path / "2", spec.model_copy(update=again))
    assert (second.last.code, second.last.params["step"]) == ("nan_loss", 3)
    with pytest.MonkeyPatch.context() as patch:
        real = NextToken.loss
        patch.setattr(NextToken, "loss", lambda *args: Share(real(*args).loss * 0.0))
        third = run_here(tmp_path / "3", spec.model_copy(update=again))
    assert third.last.code == "internal"
    assert "no gradient" in third.last.message
