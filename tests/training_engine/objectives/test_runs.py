"""Whole runs of every objective on tiny models: the numbers, and that the model learns."""

from pathlib import Path

import pytest

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import run_here
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode

# Measured once with float32 on one thread; the first digits must hold on every machine.
PINNED = {
    (Objective.SFT, "llama"): [5.3951, 5.3515, 5.2620],
    (Objective.PRETRAIN, "llama"): [5.5718, 5.5060, 5.3934],
    (Objective.CLASSIFY, "llama"): [1.0250, 1.2894, 0.9436],
    (Objective.CLASSIFY, "bert"): [1.1055, 1.0976, 1.0959],
    (Objective.SEQ2SEQ, "t5"): [5.4112, 5.3431, 4.8745],
    (Objective.DPO, "llama"): [0.69315, 0.62010, 0.48791],
    (Objective.IPO, "llama"): [25.0, 24.1647, 22.5959],
    (Objective.ORPO, "llama"): [5.4893, 5.3735, 5.3265],
    (Objective.SIMPO, "llama"): [1.2026, 0.9597, 0.8831],
    (Objective.CPO, "llama"): [5.4248, 5.3183, 5.2693],
    (Objective.KTO, "llama"): [0.5, 0.48020, 0.42108],
    (Objective.REWARD, "llama"): [0.68986, 0.63295, 0.48067],
    (Objective.REWARD, "bert"): [0.69480, 0.69454, 0.69633],
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


@pytest.mark.long
@pytest.mark.parametrize(("objective", "kind"), PINNED)
def test_an_objective_learns(tmp_path: Path, objective: Objective, kind: str, model: Path) -> None:
    data = write(tmp_path / "rows.jsonl", objective, 40)
    knobs = {"epochs": 6, "learning_rate": 5e-3, "evaluation_fraction": 0.2, "lora_rank": 4}
    outcome = run_here(tmp_path / "run", spec_for(objective, data, model, knobs))
    assert outcome.code == ExitCode.FINISHED, outcome.last
    loss = list(outcome.series("loss").values())
    assert loss[:3] == pytest.approx(PINNED[objective, kind], rel=2e-3)
    held_out = outcome.series("eval_loss")
    assert min(held_out.values()) < 0.92 * held_out[0]
    names = METRICS.get(objective, set() if objective in PLAIN else PAIRED)
    last = max(held_out)
    for name in names:
        assert outcome.series(f"eval_{name}")[last] is not None, name
        assert len(outcome.series(name)) == outcome.last.step, name
