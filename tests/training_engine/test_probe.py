"""A run that will not fit is made smaller or refused before its first step, with the numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.objectives.models import build_tiny_t5
from tests.training_engine.objectives.opened import opened
from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import Outcome, greetings, make_spec, run_here, write_rows
from training_engine import compute, probe
from training_engine.contract.choices import Objective
from training_engine.contract.model_folder import WEIGHTS_FILE
from training_engine.contract.names import ExitCode
from training_engine.probe import Room

KNOBS = {"max_steps": 4, "evaluation_fraction": 0, "batch_size": 8}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "data.jsonl", greetings(40))


def run_with(tmp_path: Path, name: str, model: Path, data: Path, **knobs: Any) -> Outcome:
    return run_here(tmp_path / name, make_spec(data, model, hyperparameters={**KNOBS, **knobs}))


def test_with_plenty_of_memory_nothing_is_tried(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    outcome = run_with(tmp_path, "run", tiny_model, data)
    assert "memory_probed" not in outcome.notices()


def little_room(monkeypatch: pytest.MonkeyPatch, more_bytes: int, by_token: int) -> None:
    """So much may be held on top of what is, and a pass takes so much for each token."""
    held = 10**8
    monkeypatch.setattr(probe, "measure_room", lambda device: Room(held, held + more_bytes))
    real = probe._peak

    def peak(run: Any, samples: list[int]) -> int:
        assert run.model.training  # or nothing would be computed again
        found = real(run, samples)  # the real pass
        assert found is not None
        assert found > 0
        return held + by_token * sum(run.data.train.length(sample) for sample in samples)

    monkeypatch.setattr(probe, "_peak", peak)


def test_what_does_not_fit_is_computed_in_smaller_pieces_with_the_same_result(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_with(tmp_path, "whole", tiny_model, data, micro_batch_size=8)
    little_room(monkeypatch, 25_000_000, 100_000)
    outcome = run_with(tmp_path, "less", tiny_model, data, micro_batch_size=8)
    notices = outcome.notices()
    assert outcome.code == ExitCode.FINISHED
    assert notices["memory_probed"]["tokens"] <= 250
    assert notices["computes_less_at_once"]["tokens"] > 100
    assert outcome.series("loss") == pytest.approx(whole.series("loss"), rel=1e-5)


def test_one_sample_that_does_not_fit_refuses_the_run(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little_room(monkeypatch, 500_000, 100_000)
    outcome = run_with(tmp_path, "run", tiny_model, data)
    assert (outcome.last.type, outcome.last.code) == ("failed", "out_of_memory")
    assert "max_length" in outcome.last.hint
    assert not outcome.series("loss")


def test_without_leave_to_compute_less_the_smaller_setting_is_named(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little_room(monkeypatch, 25_000_000, 100_000)
    knobs = {"recover_from_oom": False, "micro_batch_size": 8}
    outcome = run_with(tmp_path, "run", tiny_model, data, **knobs)
    assert outcome.last.code == "out_of_memory"
    assert outcome.last.params["micro_batch_size"] == 4
    assert "micro_batch_size to 4" in outcome.last.hint


def test_the_optimizer_is_counted(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It allocates its state in the first step, after the probe; a resumed run has it already."""
    little_room(monkeypatch, 10**8, 1_000)
    monkeypatch.setattr(probe, "CERTAIN", 0.0)
    knobs = {**KNOBS, "learning_rate": 1e-3}
    spec = make_spec(data, tiny_model, method="full", hyperparameters=knobs)
    whole = run_here(tmp_path / "1", spec)
    numbers = sum(t.numel() for t in load_file(whole.run_dir / "output" / WEIGHTS_FILE).values())
    told = whole.notices()["memory_probed"]
    assert told["needed_bytes"] == 10**8 + 1_000 * told["tokens"] + 8 * numbers
    again = {"resume_from": str(tmp_path / "1" / "checkpoints"), "attempt": 2}
    resumed = run_here(tmp_path / "2", spec.model_copy(update=again)).notices()["memory_probed"]
    assert resumed["needed_bytes"] == 10**8 + 1_000 * resumed["tokens"]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_memory_that_ran_out_in_the_probe_is_no_figure(
    tmp_path: Path,
    tiny_model: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: RuntimeError,
) -> None:
    monkeypatch.setattr(probe, "CERTAIN", 0.0)
    real, failures = compute.measure, []

    def measure(run: Any, rows: Any, samples: Any, **how: Any) -> Any:
        if len(samples) > 1 and not failures:
            failures.append(samples)
            raise error
        return real(run, rows, samples, **how)

    monkeypatch.setattr(compute, "measure", measure)
    outcome = run_with(tmp_path, "run", tiny_model, data)
    (notice,) = [e for e in outcome.events if e.type == "notice" and "at once" in e.message]
    assert outcome.code == ExitCode.FINISHED, outcome.last
    assert len(failures) == 1
    assert "at once need more memory, and" in notice.message


@pytest.mark.parametrize(("kind", "told"), [("cuda", True), ("mps", False)])
def test_where_a_peak_can_be_told(kind: str, told: bool) -> None:
    assert probe._measurable(torch.device(kind)) is told


@pytest.mark.parametrize(
    ("objective", "count"), [(Objective.SEQ2SEQ, 1), (Objective.SFT, 1), (Objective.DPO, 2)]
)
def test_the_estimate_is_of_the_samples_at_hand(
    tmp_path: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    objective: Objective,
    count: int,
) -> None:
    """A source counts together with its target, the answers of a pair each by itself."""
    model = build_tiny_t5(tmp_path / "t5") if objective is Objective.SEQ2SEQ else tiny_model
    data = write(tmp_path / "rows.jsonl", objective, 20)
    spec = spec_for(objective, data, model, {"evaluation_fraction": 0})
    run = opened(tmp_path / "run", spec)
    asked: dict[str, Any] = {}
    real = probe.estimate
    monkeypatch.setattr(
        probe, "estimate", lambda config, **how: asked.update(how) or real(config, **how)
    )
    config = json.loads((model / "config.json").read_text())
    assert probe.expected_bytes(run, config)
    lengths = run.data.train.lengths
    assert asked["mean_tokens"] * count == pytest.approx(sum(lengths) / 20)
    assert asked["longest_tokens"] == -(-max(lengths) // count)
