"""Every objective stopped at any point and resumed is the same run, bit for bit.

With dropout, noise on the word vectors, early evaluation and a schedule with warm-up; encoders have
dropout of their own.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import Outcome, StopAfter, run_here
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.data import ledger

# 20 samples in batches of 3: an epoch ends within step 7 and with step 14's last sample but one.
ROWS, STEPS = 21, 20
KNOBS: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 3,
    "evaluation_steps": 4,
    "save_steps": 5,
    "warmup_ratio": 0.15,
    "lora_dropout": 0.2,
    "neftune_noise_alpha": 5,
    "learning_rate": 2e-3,
    "sample_steps": 6,
}
# In warm-up (3 steps), at its end, around both ends of an epoch, at a saved and at a measured
# step, before the last and after it.
POINTS = (1, 2, 3, 6, 7, 10, 12, 13, 19, 20)
FEW = (2, 7)

FAMILIES: dict[str, tuple[Objective, str, dict[str, Any]]] = {
    "sft": (Objective.SFT, "llama", {}),
    "pretrain": (Objective.PRETRAIN, "llama", {"max_length": 64}),
    "dpo": (Objective.DPO, "llama", {}),
    "kto": (Objective.KTO, "llama", {}),
    "classify": (Objective.CLASSIFY, "bert", {}),
    "reward": (Objective.REWARD, "llama", {}),
    "seq2seq": (Objective.SEQ2SEQ, "t5", {}),
    "lora_plus": (Objective.SFT, "llama", {"lora_variant": "lora_plus"}),
    "adafactor": (Objective.SFT, "llama", {"optimizer": "adafactor"}),
    "muon": (Objective.SFT, "llama", {"optimizer": "muon", "method": "full"}),
}
Whole = Callable[[str], tuple[RunSpec, Outcome]]


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, tiny_bert: Path, tiny_t5: Path
) -> Whole:
    """The run of a family that is never stopped, made once."""
    models = {"llama": tiny_model, "bert": tiny_bert, "t5": tiny_t5}

    @cache
    def made(family: str) -> tuple[RunSpec, Outcome]:
        torch.set_num_threads(1)
        folder = tmp_path_factory.mktemp(family)
        objective, kind, own = FAMILIES[family]
        knobs = {**KNOBS, **own}
        method = knobs.pop("method", "lora")
        data = write(folder / "rows.jsonl", objective, ROWS)
        spec = spec_for(objective, data, models[kind], knobs, method=method)
        return spec, run_here(folder / "run", spec)

    return made


def result(outcome: Outcome) -> dict[str, torch.Tensor]:
    (path,) = (outcome.run_dir / "output").glob("*.safetensors")
    weights: dict[str, torch.Tensor] = load_file(path)
    return weights


def stopped_and_resumed(folder: Path, spec: RunSpec, step: int, last: int) -> Outcome:
    first = run_here(folder / "1", spec, StopAfter(folder / "1", step))
    assert first.code == (ExitCode.STOPPED if step < last else ExitCode.FINISHED), first.last
    again = {"resume_from": str(folder / "1" / "checkpoints"), "attempt": 2}
    return run_here(folder / "2", spec.model_copy(update=again))


def assert_same(family: str, folder: Path, whole: Whole, step: int) -> None:
    spec, expected = whole(family)
    assert expected.code == ExitCode.FINISHED, expected.last
    resumed = stopped_and_resumed(folder, spec, step, expected.last.step)
    assert resumed.code == ExitCode.FINISHED, resumed.last
    assert resumed.notices()["resumed"] == {"step": step}
    names = {name for e in expected.events if e.type == "metrics" for name in e.values}
    for name in names - {"tokens_per_s"}:
        later = {at: value for at, value in expected.series(name).items() if at > step}
        assert resumed.series(name) == later, name
    mine, theirs = (ledger.read(o.run_dir / "ledger.bin") for o in (resumed, expected))
    assert mine == theirs
    assert resumed.last.step == expected.last.step
    assert resumed.last.metrics == expected.last.metrics
    weights = result(resumed)
    assert all(torch.equal(weights[name], value) for name, value in result(expected).items())


@pytest.mark.parametrize("family", ["sft", "kto", "classify", "seq2seq"])
def test_resumed_in_the_midst(tmp_path: Path, whole: Whole, family: str) -> None:
    assert_same(family, tmp_path, whole, 7)


@pytest.mark.long
@pytest.mark.parametrize("step", POINTS)
@pytest.mark.parametrize(
    "family", ["sft", "pretrain", "dpo", "kto", "classify", "reward", "seq2seq"]
)
def test_every_objective_at_every_point(
    tmp_path: Path, whole: Whole, family: str, step: int
) -> None:
    if step == STEPS:  # documents in pieces are more samples
        step = whole(family)[1].last.step
    assert_same(family, tmp_path, whole, step)


@pytest.mark.long
@pytest.mark.parametrize("step", FEW)
@pytest.mark.parametrize("family", ["lora_plus", "adafactor", "muon"])
def test_every_optimizer(tmp_path: Path, whole: Whole, family: str, step: int) -> None:
    assert_same(family, tmp_path, whole, step)
