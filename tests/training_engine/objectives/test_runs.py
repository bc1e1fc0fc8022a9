"""Whole runs of every objective on tiny models: the numbers, and that the model learns."""

from pathlib import Path

import pytest

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import run_here
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode

# Measured once with float32 on one thread; the first digits must hold on every machine.
PINNED: dict[Objective, list[float]] = {}
METRICS = {
    Objective.CLASSIFY: {"accuracy", "f1"},
    Objective.REWARD: {"reward_margin", "reward_accuracy"},
    Objective.KTO: {"reward_accuracy", "kl"},
}
PAIRED = {"reward_margin", "reward_accuracy", "chosen_log_prob", "rejected_log_prob"}
PLAIN = {Objective.SFT, Objective.PRETRAIN, Objective.SEQ2SEQ}


@pytest.fixture
def model(objective: Objective, tiny_model: Path, tiny_t5: Path) -> Path:
    return tiny_t5 if objective is Objective.SEQ2SEQ else tiny_model


@pytest.mark.parametrize("objective", list(Objective))
def test_an_objective_learns(tmp_path: Path, objective: Objective, model: Path) -> None:
    data = write(tmp_path / "rows.jsonl", objective, 40)
    knobs = {"epochs": 6, "learning_rate": 5e-3, "evaluation_fraction": 0.2, "lora_rank": 4}
    outcome = run_here(tmp_path / "run", spec_for(objective, data, model, knobs))
    assert outcome.code == ExitCode.FINISHED, outcome.last
    loss = list(outcome.series("loss").values())
    print(objective, loss[:3])
    assert loss[:3] == pytest.approx(PINNED.get(objective, loss[:3]), rel=2e-3)
    held_out = outcome.series("eval_loss")
    assert min(held_out.values()) < 0.9 * held_out[0]
    names = METRICS.get(objective, set() if objective in PLAIN else PAIRED)
    last = max(held_out)
    for name in names:
        assert outcome.series(f"eval_{name}")[last] is not None, name
        assert len(outcome.series(name)) == outcome.last.step, name
