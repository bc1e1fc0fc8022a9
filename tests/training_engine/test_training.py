"""Whole runs on a tiny model: the numbers, and that they do not depend on how they are computed."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.specs import (
    Outcome,
    StopAfter,
    conversation,
    greetings,
    make_spec,
    run_here,
    write_rows,
)
from training_engine import checkpoints, start
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.names import ExitCode
from training_engine.control import Stop
from training_engine.data.beginnings import SharedRow, share
from training_engine.events import PACE_STEPS, Pace
from training_engine.models import forward
from training_engine.objectives.criterion import Share
from training_engine.objectives.sft import NextToken


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "data.jsonl", greetings(26))


def weights(outcome: Outcome) -> dict[str, torch.Tensor]:
    name = "adapter_model.safetensors"
    path = outcome.run_dir / "output" / name
    return load_file(path if path.exists() else outcome.run_dir / "output" / "model.safetensors")


# Measured once with float32 on one thread; the first digits must hold on every machine.
PINNED_LORA = [5.4611, 5.3614, 5.2694, 5.2233]
PINNED_FULL = [5.4611, 5.3483, 5.2015, 5.1169]


@pytest.mark.parametrize(
    ("method", "rate", "pinned"), [("lora", 5e-3, PINNED_LORA), ("full", 1e-3, PINNED_FULL)]
)
def test_the_losses_are_pinned(
    tmp_path: Path, tiny_model: Path, data: Path, method: str, rate: float, pinned: list[float]
) -> None:
    knobs = {"max_steps": 4, "learning_rate": rate, "evaluation_fraction": 0}
    spec = make_spec(data, tiny_model, method=method, hyperparameters=knobs)
    outcome = run_here(tmp_path / "run", spec)
    assert outcome.code == ExitCode.FINISHED
    assert list(outcome.series("loss").values()) == pytest.approx(pinned, abs=2e-3)


def test_a_run_learns_and_says_what_it_did(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    spec = make_spec(data, tiny_model, hyperparameters={"epochs": 6, "learning_rate": 2e-2})
    outcome = run_here(tmp_path / "run", spec)
    assert outcome.last.type == "finished"
    evaluated = outcome.series("eval_loss")
    assert min(evaluated) == 0  # the curve begins with the base model
    assert evaluated[max(evaluated)] < evaluated[0] - 0.2
    facts = outcome.notices()["data_ready"]
    assert facts["samples"] == 25
    assert facts["evaluation_samples"] == 1
    assert facts["trained_tokens"] < facts["tokens"]
    progress = [e for e in outcome.events if e.type == "progress" and e.phase == "training"]
    assert (progress[0].step, progress[0].eta_s) == (1, None)
    assert outcome.last.metrics["eval_loss"] == pytest.approx(min(evaluated.values()))
    kinds = [e.type for e in outcome.events]
    assert kinds[0] == "started"
    assert sum(kind in {"finished", "failed", "stopped"} for kind in kinds) == 1
    assert kinds.count("samples") == 1


def test_progress_tells_the_pace_of_the_last_steps(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    """What is kept of a run is its last progress: a mean, not whatever the last step happened to
    be.
    """
    knobs = {"max_steps": 6, "evaluation_fraction": 0}
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    speeds = outcome.series("tokens_per_s")
    told = [e.tokens_per_s for e in outcome.events if e.type == "progress" and e.tokens_per_s]
    assert told[0] == speeds[1]
    assert min(speeds.values()) < told[-1] < max(speeds.values())


def test_the_pace_is_tokens_over_seconds() -> None:
    pace = Pace()
    for seconds, tokens in [(1.0, 100), (3.0, 100), (0.5, 250)]:
        pace.step(seconds, tokens)
    assert pace.tokens_per_s == 100
    for _ in range(PACE_STEPS):
        pace.step(2.0, 10)
    assert pace.tokens_per_s == 5


def test_the_result_is_a_standard_folder(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model))
    output = outcome.run_dir / "output"
    config = json.loads((output / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "example/tiny"
    assert config["target_modules"] == sorted(
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )
    assert str(tmp_path) not in "".join(p.read_text("utf-8", "ignore") for p in output.iterdir())
    checkpoints.verify(output)
    files = {path.name for path in output.iterdir()}
    wanted = {"chat_template.jinja", "tokenizer.json", "README.md", "training_args.json"}
    assert wanted <= files
    assert outcome.last.output_bytes == sum(path.stat().st_size for path in output.iterdir())


@pytest.mark.parametrize("method", ["lora", "full"])
def test_micro_batches_give_the_same_curve(
    tmp_path: Path, tiny_model: Path, data: Path, method: str
) -> None:
    curves, results = [], []
    for size in (1, 2, 4, 8):
        knobs = {
            "batch_size": 8,
            "micro_batch_size": size,
            "max_steps": 5,
            "learning_rate": 1e-3,
        }
        spec = make_spec(data, tiny_model, method=method, hyperparameters=knobs)
        outcome = run_here(tmp_path / f"run-{size}", spec)
        curves.append(list(outcome.series("loss").values()))
        results.append(outcome.series("eval_loss")[5])
    for curve in curves[1:]:
        assert curve == pytest.approx(curves[0], abs=1e-4)
    assert results == pytest.approx([results[0]] * 4, abs=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_packed_and_unpacked_runs_agree(
    tmp_path: Path, tiny_model: Path, data: Path, precision: str
) -> None:
    curves = []
    for packing in (True, False):
        knobs = {"max_steps": 5, "packing": packing, "learning_rate": 1e-3}
        spec = make_spec(data, tiny_model, hyperparameters=knobs, precision=precision)
        outcome = run_here(tmp_path / f"run-{packing}", spec)
        curves.append(list(outcome.series("loss").values()))
    tolerance = 1e-4 if precision == "float32" else 2e-2
    assert curves[0] == pytest.approx(curves[1], abs=tolerance)


@pytest.mark.long
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_beginnings_computed_once_leave_the_curve_as_it_is(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    rows = [conversation(f"I am {i}.", f"Hello {i}!", system="Greet all. " * 9) for i in range(26)]
    data = write_rows(tmp_path / "data.jsonl", rows)
    found: list[SharedRow | None] = []
    monkeypatch.setattr(forward, "share", lambda row: found.append(share(row)) or found[-1])
    curves = []
    for sharing in (True, False):
        if not sharing:
            assert SharedRow in map(type, found)
            monkeypatch.setattr(forward.Decoder, "shares", lambda *_: False)
        knobs = {"epochs": 2, "learning_rate": 2e-3}
        spec = make_spec(data, tiny_model, hyperparameters=knobs, precision=precision)
        outcome = run_here(tmp_path / f"run-{sharing}", spec)
        curves.append([*outcome.series("loss").values(), *outcome.series("eval_loss").values()])
    assert curves[0][0] - min(curves[0]) > 0.05
    tolerance = 1e-4 if precision == "float32" else 2e-2
    assert curves[0] == pytest.approx(curves[1], abs=tolerance)


def test_dropout_and_chosen_layers(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    knobs = {"max_steps": 3, "lora_dropout": 0.3, "target_modules": ["q_proj", "v_proj"]}
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    assert outcome.code == ExitCode.FINISHED
    assert len(weights(outcome)) == 2 * 2 * 2
    assert all(value.any() for value in weights(outcome).values())


def test_an_unknown_layer_is_refused_with_the_known_ones(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    knobs = {"target_modules": ["query"]}
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    assert (outcome.code, outcome.last.code) == (ExitCode.SPEC_REFUSED, "bad_spec")
    assert "q_proj" in outcome.last.hint


def test_a_run_that_no_longer_improves_ends_by_itself() -> None:
    """The default, which nobody has to know of: after three of about ten evaluations."""
    assert Hyperparameters().early_stopping_patience == 3
    assert Hyperparameters(early_stopping_patience=None).early_stopping_patience is None


def test_early_stopping_keeps_the_best(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    """A learning rate that ruins the model: the first evaluation stays the best one."""
    knobs = {
        "epochs": 20,
        "learning_rate": 0.5,
        "schedule": "constant",
        "warmup_ratio": 0,
        "evaluation_steps": 1,
        "early_stopping_patience": 3,
        "max_grad_norm": 1000,
    }
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    assert outcome.code == ExitCode.FINISHED
    assert outcome.notices()["early_stopped"]["patience"] == 3
    evaluated = outcome.series("eval_loss")
    after = {step: loss for step, loss in evaluated.items() if step > 0}
    best = min(after, key=lambda step: after[step])
    assert outcome.last.metrics["best_step"] == best
    assert outcome.last.step == best + 3
    folders = sorted(path.name for path in (outcome.run_dir / "checkpoints").iterdir())
    assert folders == [f"step-{step:08d}" for step in (best, best + 2, best + 3)]
    kept = load_file(outcome.run_dir / "checkpoints" / folders[0] / "weights.safetensors")
    name = "model.layers.0.self_attn.q_proj"
    written = weights(outcome)[f"base_model.model.{name}.lora_B.weight"]
    assert torch.equal(written, kept[f"{name}.lora_b"])


def test_a_loss_that_is_no_number_ends_the_run(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = NextToken.loss, []

    def poisoned(self: NextToken, *args: Any) -> Share:
        calls.append(args)
        share = real(self, *args)
        if torch.is_grad_enabled() and poison(calls):
            share.loss = share.loss * math.nan
        return share

    def poison(seen: list[Any]) -> bool:
        return len(seen) > 8

    monkeypatch.setattr(NextToken, "loss", poisoned)
    knobs = {"evaluation_fraction": 0, "save_steps": 2, "epochs": 10}
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "nan_loss")
    losses = outcome.series("loss")
    assert [step for step, loss in losses.items() if loss is None] == [9, 10, 11][: len(losses) - 8]
    assert outcome.last.params["step"] == 11
    folder = outcome.run_dir / "checkpoints" / "step-00000008"
    checkpoints.verify(folder)
    assert all(
        value.isfinite().all() for value in load_file(folder / "weights.safetensors").values()
    )
    assert "NaN" not in (outcome.run_dir / "events.jsonl").read_text()


def test_a_single_bad_step_is_left_out(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = NextToken.loss, []

    def poisoned(self: NextToken, *args: Any) -> Share:
        calls.append(args)
        share = real(self, *args)
        share.loss = share.loss * (math.inf if len(calls) == 3 else 1.0)
        return share

    monkeypatch.setattr(NextToken, "loss", poisoned)
    knobs = {"evaluation_fraction": 0, "max_steps": 6}
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    assert outcome.code == ExitCode.FINISHED
    assert outcome.series("loss")[3] is None
    assert outcome.notices()["non_finite_loss"] == {"step": 3}
    (told,) = (e for e in outcome.events if e.type == "notice" and e.code == "non_finite_loss")
    assert "lower the learning rate" in told.message
    assert all(value.isfinite().all() for value in weights(outcome).values())


@pytest.mark.parametrize("said", [None, ":16:8"])
def test_deterministic_sums_on_a_gpu(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    """Without this variable torch refuses to multiply; who has set it means it."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    if said:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", said)
    start.set_determinism(make_spec(data, tmp_path, deterministic=False))
    assert os.environ.get("CUBLAS_WORKSPACE_CONFIG") == said
    start.set_determinism(make_spec(data, tmp_path))
    assert os.environ.get("CUBLAS_WORKSPACE_CONFIG") == (said or ":4096:8")


def test_a_model_that_gets_no_gradient_is_refused(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = NextToken.loss
    monkeypatch.setattr(NextToken, "loss", lambda *args: Share(real(*args).loss * 0.0))
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model))
    assert (outcome.last.type, outcome.last.code) == ("failed", "internal")
    assert "no gradient" in outcome.last.message


def test_stopping_without_saving(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    run_dir = tmp_path / "run"
    knobs = {"save_steps": 100, "evaluation_fraction": 0}
    spec = make_spec(data, tiny_model, hyperparameters=knobs)
    outcome = run_here(run_dir, spec, StopAfter(run_dir, 3, Stop.DISCARD))
    assert outcome.code == ExitCode.STOPPED
    assert (outcome.last.step, outcome.last.checkpoint) == (3, None)
    assert not (run_dir / "output").exists()


def test_stopping_before_the_first_step(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    run_dir = tmp_path / "run"
    outcome = run_here(run_dir, make_spec(data, tiny_model), StopAfter(run_dir, 0))
    assert (outcome.code, outcome.last.type) == (ExitCode.STOPPED, "stopped")
    assert (outcome.last.step, outcome.last.checkpoint) == (0, None)


def test_a_validation_set_of_its_own(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    own = write_rows(tmp_path / "own.jsonl", greetings(5))
    spec = make_spec(data, tiny_model, hyperparameters={"max_steps": 2})
    reference = spec.dataset.model_copy(update={"path": str(own), "num_rows": 5})
    outcome = run_here(tmp_path / "run", spec.model_copy(update={"validation_dataset": reference}))
    facts = outcome.notices()["data_ready"]
    assert (facts["samples"], facts["evaluation_samples"]) == (26, 5)


def test_overlong_rows_are_left_out_when_asked_and_told(tmp_path: Path, tiny_model: Path) -> None:
    rows = [*greetings(6), conversation("Tell me " * 40, "No.")]
    data = write_rows(tmp_path / "data.jsonl", rows)
    knobs = {"max_length": 128, "evaluation_fraction": 0, "max_steps": 1}
    refused = run_here(tmp_path / "one", make_spec(data, tiny_model, hyperparameters=knobs))
    assert refused.code == ExitCode.FAILED
    assert "leave_out_overlong" in refused.last.hint
    spec = make_spec(data, tiny_model, hyperparameters={**knobs, "leave_out_overlong": True})
    outcome = run_here(tmp_path / "two", spec)
    assert outcome.code == ExitCode.FINISHED
    left_out = outcome.notices()["rows_left_out"]
    assert (left_out["rows"], left_out["lines"]) == (1, "17")
    assert outcome.notices()["data_ready"]["samples"] == 6


def test_long_rows_are_cut_and_counted(tmp_path: Path, tiny_model: Path) -> None:
    rows = [*greetings(6), conversation("Tell me more.", "more " * 100)]
    data = write_rows(tmp_path / "data.jsonl", rows)
    knobs = {"max_length": 128, "evaluation_fraction": 0, "max_steps": 1}
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    assert outcome.code == ExitCode.FINISHED
    cut = outcome.notices()["rows_truncated"]
    assert (cut["rows"], cut["lines"], cut["answers"]) == (1, "17", 1)
    assert cut["tokens"] == outcome.notices()["data_ready"]["cut_tokens"] > 300
