"""When memory runs out less is computed at once, the run goes on and its result is the same."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import Outcome, greetings, make_spec, run_here, write_rows
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode
from training_engine.models.forward import Decoder
from training_engine.models.weights import TrainableWeights
from training_engine.objectives.criterion import Share
from training_engine.objectives.sft import NextToken

KNOBS = {"max_steps": 5, "batch_size": 8, "evaluation_fraction": 0.3, "evaluation_steps": 2}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "data.jsonl", greetings(40))


def run_with(tmp_path: Path, name: str, model: Path, data: Path, **knobs: Any) -> Outcome:
    return run_here(tmp_path / name, make_spec(data, model, hyperparameters={**KNOBS, **knobs}))


class Memory:
    """Holds so many tokens; what is more fails as torch does, after a part was computed."""

    def __init__(self, patch: pytest.MonkeyPatch, tokens: int, *, learning: bool = True) -> None:
        real, self.failures = NextToken.loss, 0

        def loss(criterion: NextToken, row: Any, *rest: Any) -> Share:
            share = real(criterion, row, *rest)
            if row.input_ids.numel() > tokens and torch.is_grad_enabled() == learning:
                self.failures += 1
                if learning:
                    share.loss.backward()  # its gradient must not stay
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return share

        patch.setattr(NextToken, "loss", loss)


def test_the_result_is_the_same(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    whole = run_with(tmp_path, "whole", tiny_model, data)
    with pytest.MonkeyPatch.context() as patch:
        memory = Memory(patch, 200)
        outcome = run_with(tmp_path, "less", tiny_model, data)
    assert memory.failures > 0
    assert outcome.code == ExitCode.FINISHED, outcome.last
    assert outcome.notices()["computes_less_at_once"]["tokens"] <= 200
    for name in ("loss", "grad_norm", "eval_loss"):
        assert outcome.series(name) == pytest.approx(whole.series(name), rel=1e-4)


def test_random_numbers_are_those_of_a_run_that_never_ran_out(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    """With dropout and noise the first attempt of a step must not have used any up."""
    noisy = {"lora_dropout": 0.3, "neftune_noise_alpha": 5}
    with pytest.MonkeyPatch.context() as patch:
        memory = Memory(patch, 200)
        outcome = run_with(tmp_path, "less", tiny_model, data, **noisy)
    limit = outcome.notices()["computes_less_at_once"]["tokens"]
    assert memory.failures > 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training_engine.plan.tokens_at_once", lambda *args: limit)
        whole = run_with(tmp_path, "whole", tiny_model, data, **noisy)
    assert "computes_less_at_once" not in whole.notices()
    assert outcome.series("loss") == whole.series("loss")
    assert outcome.series("grad_norm") == whole.series("grad_norm")


def test_an_evaluation_goes_on_too(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        memory = Memory(patch, 200, learning=False)
        outcome = run_with(tmp_path, "run", tiny_model, data)
    assert memory.failures > 0
    assert outcome.code == ExitCode.FINISHED, outcome.last


@pytest.mark.parametrize("recovers", [True, False])
def test_measuring_the_model_before_it_is_tuned_goes_on_too(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, recovers: bool
) -> None:
    rows = write(tmp_path / "rows.jsonl", Objective.DPO, 20)
    spec = spec_for(Objective.DPO, rows, tiny_model, {**KNOBS, "recover_from_oom": recovers})
    real, failures = Decoder.sequence_log_probs, []

    def log_probs(forward: Decoder, row: Any) -> Any:
        if row.input_ids.numel() > 200 and not torch.is_grad_enabled():
            failures.append(row)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(forward, row)

    monkeypatch.setattr(Decoder, "sequence_log_probs", log_probs)
    outcome = run_here(tmp_path / "run", spec)
    assert failures
    if recovers:
        assert outcome.code == ExitCode.FINISHED, outcome.last
        assert "computes_less_at_once" in outcome.notices()
    else:
        assert outcome.last.code == "out_of_memory"
        assert "micro_batch_size" in outcome.last.hint


def test_an_optimizer_that_does_not_fit_is_told_as_such(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(weights: TrainableWeights, rate: float) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(TrainableWeights, "step", step)
    outcome = run_with(tmp_path, "run", tiny_model, data)
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "out_of_memory")


def test_one_sample_that_does_not_fit_ends_the_run(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    """It stays alone however often the others are cut: that must come to an end."""
    with pytest.MonkeyPatch.context() as patch:
        memory = Memory(patch, 60)
        outcome = run_with(tmp_path, "run", tiny_model, data)
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "out_of_memory")
    assert "one sample of" in outcome.last.message
    assert "max_length" in outcome.last.hint
    assert int(outcome.last.params["tokens"]) > 60
    assert outcome.last.params["micro_batch_size"] == 0
    assert memory.failures < 8


def test_it_has_to_be_allowed(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        memory = Memory(patch, 200)
        outcome = run_with(tmp_path, "run", tiny_model, data, recover_from_oom=False)
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "out_of_memory")
    assert memory.failures == 1
    assert "micro_batch_size" in outcome.last.hint
    assert 1 <= int(outcome.last.params["micro_batch_size"]) < KNOBS["batch_size"]


def test_another_error_is_not_taken_for_it(
    tmp_path: Path, tiny_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loss(*args: Any) -> Share:
        raise RuntimeError("size mismatch")

    monkeypatch.setattr(NextToken, "loss", loss)
    outcome = run_with(tmp_path, "run", tiny_model, data)
    assert outcome.last.code == "internal"
