"""Whole runs of every objective on tiny models: the numbers, and that the model learns."""

from pathlib import Path

import pytest

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import run_here
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode

# Measured once with float32 on one thread; the first digits must hold on every machine.
PINNED = {
    (Objective.SFT, "llama"): [5.3736, 5.3576, 5.2200],
    (Objective.PRETRAIN, "llama"): [5.5617, 5.5160, 5.4103],
    (Objective.CLASSIFY, "llama"): [1.0700, 1.2360, 1.1500],
    (Objective.CLASSIFY, "bert"): [1.1003, 1.1095, 1.1014],
    (Objective.SEQ2SEQ, "t5"): [5.3754, 5.3116, 4.8029],
    (Objective.DPO, "llama"): [0.69315, 0.61859, 0.50145],
    (Objective.IPO, "llama"): [25.0, 24.1674, 22.7881],
    (Objective.ORPO, "llama"): [5.4372, 5.4184, 5.2758],
    (Objective.SIMPO, "llama"): [1.1478, 1.0159, 0.8045],
    (Objective.CPO, "llama"): [5.3748, 5.3593, 5.2232],
    (Objective.KTO, "llama"): [0.5, 0.48311, 0.39932],
    (Objective.REWARD, "llama"): [0.68831, 0.63434, 0.47368],
    (Objective.REWARD, "bert"): [0.69292, 0.68987, 0.69640],
}
METRICS = {
    Objective.CLASSIFY: {"accuracy", "f1"},
    Objective.REWARD: {"reward_margin", "reward_accuracy"},
    Objective.KTO: {"reward_accuracy", "kl"},
}
PAIRED = {"reward_margin", "reward_accuracy", "chosen_log_prob", "rejected_log_prob"}
PLAIN = {Objective.SFT, Objective.PRETRAIN, Objective.SEQ2SEQ}


@pytest.fixture
def model(kind: str, tiny_model: Path, tiny_bert: Path, tiny_t5: Path) -> Path:
    return {"llama": tiny_model, "bert": tiny_bert, "t5": tiny_t5}[kind]


@pytest.mark.parametrize(("objective", "kind"), PINNED)
def test_an_objective_learns(tmp_path: Path, objective: Objective, kind: str, model: Path) -> None:
    data = write(tmp_path / "rows.jsonl", objective, 40)
    knobs = {"epochs": 6, "learning_rate": 5e-3, "evaluation_fraction": 0.2, "lora_rank": 4}
    outcome = run_here(tmp_path / "run", spec_for(objective, data, model, knobs))
    assert outcome.code == ExitCode.FINISHED, outcome.last
    loss = list(outcome.series("loss").values())
    assert loss[:3] == pytest.approx(PINNED[objective, kind], rel=2e-3)
    held_out = outcome.series("eval_loss")
    assert min(held_out.values()) < 0.9 * held_out[0]
    names = METRICS.get(objective, set() if objective in PLAIN else PAIRED)
    last = max(held_out)
    for name in names:
        assert outcome.series(f"eval_{name}")[last] is not None, name
        assert len(outcome.series(name)) == outcome.last.step, name
