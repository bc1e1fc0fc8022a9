"""Told to stop in the midst of an evaluation, a run saves its step and measures it later."""

import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.running import events, exit_facts, finish, start_host, wait_until
from tests.training_engine.specs import Outcome, greetings, make_spec, run_here, write_rows
from training_engine import checkpoints, compute, evaluation
from training_engine.compute import Measured
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.control import Stop, StopRequests
from training_engine.data import ledger
from training_engine.run import Run

# 24 samples to train on, 6 held out and computed one by one; step 12 is the last.
KNOBS: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 4,
    "micro_batch_size": 1,
    "evaluation_fraction": 0.2,
    "evaluation_steps": 3,
    "save_steps": 5,
    "lora_dropout": 0.2,
    "sample_steps": 3,
}
LAST = 12


def measuring(run_dir: Path) -> int | None:
    """The step that is being measured now."""
    found = events(run_dir)
    detail = getattr(found[-1], "detail", None) or "" if found else ""
    return found[-1].step if detail.startswith(evaluation.DOING) else None


class StopIn(StopRequests):
    """Asks to stop, from the third row of a step's evaluation on."""

    def __init__(self, run_dir: Path, step: int, how: Stop = Stop.SAVE) -> None:
        super().__init__(run_dir)
        self._run_dir, self._step, self._how, self._looks = run_dir, step, how, 3

    def wanted(self) -> Stop | None:
        self._looks -= self._looks > 0 and measuring(self._run_dir) == self._step
        return None if self._looks else self._how


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> RunSpec:
    data = write_rows(tmp_path_factory.mktemp("data") / "data.jsonl", greetings(30))
    return make_spec(data, tiny_model, hyperparameters=KNOBS)


@pytest.fixture(scope="module")
def whole(spec: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    torch.set_num_threads(1)
    return run_here(tmp_path_factory.mktemp("whole") / "run", spec)


def resumed(spec: RunSpec, folder: Path, source: Path, stop: StopRequests | None = None) -> Outcome:
    again = {"resume_from": str(source / "checkpoints"), "attempt": 2}
    return run_here(folder, spec.model_copy(update=again), stop)


def assert_one_run(attempts: list[Outcome], whole: Outcome) -> None:
    """Together they are the run that was never stopped."""
    for name in ("loss", "eval_loss", "grad_norm", "learning_rate"):
        parts = [attempt.series(name) for attempt in attempts]
        assert sum(map(len, parts)) == len(whole.series(name)), name  # nothing twice
        assert {k: v for part in parts for k, v in part.items()} == whole.series(name), name
    last = attempts[-1]
    assert last.last.metrics == whole.last.metrics
    assert ledger.read(last.run_dir / "ledger.bin") == ledger.read(whole.run_dir / "ledger.bin")
    mine, theirs = (
        load_file(next((o.run_dir / "output").glob("*.safetensors"))) for o in (last, whole)
    )
    assert all(torch.equal(mine[name], value) for name, value in theirs.items())


def test_the_whole_run(whole: Outcome) -> None:
    assert whole.code == ExitCode.FINISHED, whole.last
    assert sorted(whole.series("eval_loss")) == [0, 3, 6, 9, LAST]


@pytest.mark.parametrize("step", [3, pytest.param(LAST, marks=pytest.mark.long)])
def test_the_step_is_saved_and_measured_after_a_resume(
    tmp_path: Path, spec: RunSpec, whole: Outcome, step: int
) -> None:
    first = run_here(tmp_path / "1", spec, StopIn(tmp_path / "1", step))
    assert first.code == ExitCode.STOPPED, first.last
    assert (first.last.step, first.last.checkpoint) == (step, checkpoints.name_of(step))
    assert step not in first.series("eval_loss")
    second = resumed(spec, tmp_path / "2", tmp_path / "1")
    assert second.code == ExitCode.FINISHED, second.last
    assert_one_run([first, second], whole)


@pytest.mark.long
def test_stopped_in_the_same_evaluation_again(
    tmp_path: Path, spec: RunSpec, whole: Outcome
) -> None:
    first = run_here(tmp_path / "1", spec, StopIn(tmp_path / "1", 6))
    second = resumed(spec, tmp_path / "2", tmp_path / "1", StopIn(tmp_path / "2", 6))
    assert (second.code, second.last.checkpoint) == (ExitCode.STOPPED, "step-00000006")
    assert second.series("loss") == {}
    third = resumed(spec, tmp_path / "3", tmp_path / "2")
    assert_one_run([first, second, third], whole)


def test_stopped_in_the_evaluation_before_the_first_step(tmp_path: Path, spec: RunSpec) -> None:
    outcome = run_here(tmp_path / "run", spec, StopIn(tmp_path / "run", 0))
    assert (outcome.code, outcome.last.step) == (ExitCode.STOPPED, 0)
    assert outcome.last.checkpoint is None
    assert outcome.series("eval_loss") == {}


def test_stopped_without_saving(tmp_path: Path, spec: RunSpec) -> None:
    stop = StopIn(tmp_path / "run", 6, Stop.DISCARD)
    outcome = run_here(tmp_path / "run", spec, stop)
    assert (outcome.code, outcome.last.step) == (ExitCode.STOPPED, 6)
    assert outcome.last.checkpoint == "step-00000005"


@pytest.mark.parametrize("step", [2, pytest.param(4, marks=pytest.mark.long)])
def test_early_stopping_counts_on(
    tmp_path: Path, spec: RunSpec, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Stopped in the evaluation of the best step, and in that of the one that ends the run."""
    real, curve = compute.fitting, [3.0, 1.0, 0.9, 0.95, 0.97]

    def fitting(run: Run, *args: Any, learn: bool, **how: Any) -> Measured:
        found = real(run, *args, learn=learn, **how)
        return found if learn else Measured(curve[run.state.step], {})

    monkeypatch.setattr(compute, "fitting", fitting)
    knobs = {**KNOBS, "evaluation_steps": 1, "early_stopping_patience": 2}
    spec = RunSpec.model_validate({**spec.model_dump(), "hyperparameters": knobs})
    whole = run_here(tmp_path / "whole", spec)
    assert (whole.last.step, whole.last.metrics["output_step"]) == (4, 2)
    first = run_here(tmp_path / "1", spec, StopIn(tmp_path / "1", step))
    assert first.code == ExitCode.STOPPED, first.last
    second = resumed(spec, tmp_path / "2", tmp_path / "1")
    assert second.notices()["early_stopped"] == whole.notices()["early_stopped"]
    assert_one_run([first, second], whole)


def test_answers_that_are_looked_at_twice(tmp_path: Path, tiny_model: Path) -> None:
    """KTO passes over the held-out rows two times, and has a reference measured before."""
    knobs = {"max_steps": 4, "batch_size": 4, "micro_batch_size": 1, "evaluation_fraction": 0.3}
    data = write(tmp_path / "rows.jsonl", Objective.KTO, 20)
    spec = spec_for(Objective.KTO, data, tiny_model, {**knobs, "evaluation_steps": 2})
    whole = run_here(tmp_path / "whole", spec)
    first = run_here(tmp_path / "1", spec, StopIn(tmp_path / "1", 2))
    assert (first.code, first.last.step) == (ExitCode.STOPPED, 2), first.last
    assert_one_run([first, resumed(spec, tmp_path / "2", tmp_path / "1")], whole)


def test_it_says_how_far_it_is(
    tmp_path: Path, spec: RunSpec, whole: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not more often than anybody can see, and often enough not to count as hung."""
    monkeypatch.setattr("training_engine.events.PROGRESS_INTERVAL_S", 0.0)
    outcome = run_here(tmp_path / "run", spec)
    told = [e for e in outcome.events if e.type == "progress" and e.phase == "evaluating"]
    details = [e.detail for e in told if e.step == 3 and e.detail.startswith(evaluation.DOING)]
    assert details == [evaluation.DOING, *(f"{evaluation.DOING}: {i} of 6" for i in range(6))]
    assert all(e.total_steps == LAST for e in told if ":" in e.detail)
    assert outcome.series("eval_loss") == whole.series("eval_loss")


def test_two_processes_leave_it_together(tmp_path: Path, tiny_model: Path) -> None:
    """The second has fewer of the 1201 rows; both see the request before the same one."""
    data = write_rows(tmp_path / "data.jsonl", greetings(8))
    own = write_rows(tmp_path / "own.jsonl", greetings(1201))
    knobs = {**KNOBS, "evaluation_steps": 1, "lora_dropout": 0}
    spec = make_spec(data, tiny_model, hyperparameters=knobs, distributed={"processes": 2})
    reference = spec.dataset.model_copy(update={"path": str(own), "num_rows": 1201})
    spec = spec.model_copy(update={"validation_dataset": reference})
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / "spec.json").write_text(spec.model_dump_json())
    host = start_host(run_dir, child=None, OMP_NUM_THREADS="1")
    wait_until(lambda: measuring(run_dir) == 1, 120)
    host.send_signal(signal.SIGTERM)
    finish(host)
    last = events(run_dir)[-1]
    assert exit_facts(run_dir)["exit_code"] == ExitCode.STOPPED
    assert (last.type, last.step, last.checkpoint) == ("stopped", 1, "step-00000001")
    measured = [e.step for e in events(run_dir) if e.type == "metrics" and "eval_loss" in e.values]
    assert measured == [0]
