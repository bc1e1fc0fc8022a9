"""A run that will not fit is made smaller or refused before its first step, with the numbers."""

from pathlib import Path
from typing import Any

import pytest

from tests.training_engine.specs import Outcome, greetings, make_spec, run_here, write_rows
from training_engine import probe
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
        assert real(run, samples) > 0  # the real pass
        return held + by_token * sum(run.data.train.length(sample) for sample in samples)

    monkeypatch.setattr(probe, "_peak", peak)


def test_what_does_not_fit_is_computed_in_smaller_pieces_with_the_same_result(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_with(tmp_path, "whole", tiny_model, data, micro_batch_size=8)
    little_room(monkeypatch, 250_000, 1_000)
    outcome = run_with(tmp_path, "less", tiny_model, data, micro_batch_size=8)
    notices = outcome.notices()
    assert outcome.code == ExitCode.FINISHED
    assert notices["memory_probed"]["tokens"] <= 250
    assert notices["computes_less_at_once"]["tokens"] > 100
    assert outcome.series("loss") == pytest.approx(whole.series("loss"), rel=1e-5)


def test_one_sample_that_does_not_fit_refuses_the_run(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little_room(monkeypatch, 5_000, 1_000)
    outcome = run_with(tmp_path, "run", tiny_model, data)
    assert (outcome.last.type, outcome.last.code) == ("failed", "out_of_memory")
    assert "max_length" in outcome.last.hint
    assert not outcome.series("loss")


def test_without_leave_to_compute_less_the_smaller_setting_is_named(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little_room(monkeypatch, 250_000, 1_000)
    knobs = {"recover_from_oom": False, "micro_batch_size": 8}
    outcome = run_with(tmp_path, "run", tiny_model, data, **knobs)
    assert outcome.last.code == "out_of_memory"
    assert outcome.last.params["micro_batch_size"] == 4
    assert "micro_batch_size to 4" in outcome.last.hint
