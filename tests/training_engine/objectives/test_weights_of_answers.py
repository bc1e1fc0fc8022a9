"""KTO with a weight of zero: a choice of the user's, not a model that can not be trained."""

from pathlib import Path

import pytest

from tests.training_engine.objectives.rows import record, spec_for, write_records
from tests.training_engine.specs import run_here
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode

KNOBS = {"evaluation_fraction": 0, "batch_size": 2, "max_steps": 4, "learning_rate": 1e-2}


@pytest.mark.parametrize(("good", "bad"), [(0.0, 1.0), (1.0, 0.0)])
def test_a_first_step_without_weight_is_waited_for(
    tmp_path: Path, tiny_model: Path, good: float, bad: float
) -> None:
    """Two of eight answers count: with these seeds none of them is in the first step."""
    for seed in range(10):
        rows = [record(Objective.KTO, i) | {"label": (i < 2) == (good > 0)} for i in range(8)]
        data = write_records(tmp_path / "rows.jsonl", rows)
        knobs = {**KNOBS, "desirable_weight": good, "undesirable_weight": bad, "seed": seed}
        outcome = run_here(tmp_path / str(seed), spec_for(Objective.KTO, data, tiny_model, knobs))
        assert outcome.code == ExitCode.FINISHED, outcome.last
        if outcome.series("grad_norm")[1] == 0:
            break
    norms = outcome.series("grad_norm")
    assert norms[1] == 0
    assert any(norms.values())


def test_nothing_that_counts_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    rows = [record(Objective.KTO, i) | {"label": True} for i in range(8)]
    data = write_records(tmp_path / "rows.jsonl", rows)
    knobs = {**KNOBS, "desirable_weight": 0}
    outcome = run_here(tmp_path / "run", spec_for(Objective.KTO, data, tiny_model, knobs))
    assert (outcome.code, outcome.last.code) == (ExitCode.SPEC_REFUSED, "bad_spec")
    assert outcome.last.params["field"] == "hyperparameters.desirable_weight"
    assert "weight is 0" in outcome.last.message
