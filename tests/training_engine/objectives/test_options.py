"""Options change what they say and nothing else: noise, recomputation, sample answers."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training_engine.objectives.opened import opened
from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import Outcome, run_here
from training_engine import compute, sampling
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode
from training_engine.data.packing import pack

KINDS = [(Objective.SFT, "llama"), (Objective.CLASSIFY, "bert"), (Objective.SEQ2SEQ, "t5")]
RANDOM = {"lora_dropout": 0.3, "neftune_noise_alpha": 5}


@pytest.fixture
def models(tiny_model: Path, tiny_bert: Path, tiny_t5: Path) -> dict[str, Path]:
    return {"llama": tiny_model, "bert": tiny_bert, "t5": tiny_t5}


@pytest.fixture
def noisy(tmp_path: Path, models: dict[str, Path]) -> Any:
    """A run with noise, the word vectors of its last call, and those without noise."""

    def made(objective: Objective, kind: str, alpha: float) -> tuple[Any, Any]:
        data = write(tmp_path / "rows.jsonl", objective, 6)
        knobs = {"neftune_noise_alpha": alpha, "evaluation_fraction": 0}
        run = opened(tmp_path / "run", spec_for(objective, data, models[kind], knobs))
        table = run.model.get_input_embeddings()
        seen: list[tuple[torch.Tensor, torch.Tensor]] = []

        def look(module: Any, inputs: Any, out: torch.Tensor) -> None:
            seen.append((out.detach(), table.weight[inputs[0]].detach()))

        table.register_forward_hook(look)
        return run, seen

    return made


def test_noise_is_scaled_by_length_and_only_in_training(noisy: Any) -> None:
    run, seen = noisy(Objective.SFT, "llama", 5.0)
    row = pack(run.data.train, range(6))
    run.model.train()
    run.criterion.forward.cross_entropy(row)
    noise, start = (seen[-1][0] - seen[-1][1])[0], 0
    assert len(set(row.lengths)) > 2
    for length in row.lengths:
        most = 5.0 / (length * noise.shape[1]) ** 0.5
        largest = float(noise[start : start + length].abs().max())
        assert 0.95 * most < largest <= 1.001 * most
        start += length
    run.model.eval()
    run.criterion.forward.cross_entropy(row)
    assert torch.equal(*seen[-1])


def test_noise_of_padded_texts_is_scaled_by_each_ones_length(noisy: Any) -> None:
    run, seen = noisy(Objective.CLASSIFY, "bert", 5.0)
    row = pack(run.data.train, range(6))
    run.model.train()
    run.criterion.forward.scores(row)
    noise = seen[-1][0] - seen[-1][1]
    for i, length in enumerate(row.lengths):
        most = 5.0 / (length * noise.shape[2]) ** 0.5
        assert 0.9 * most < float(noise[i, :length].abs().max()) <= 1.001 * most


@pytest.mark.parametrize(("objective", "kind"), KINDS)
def test_recomputed_activations_give_the_same_gradient(
    tmp_path: Path, models: dict[str, Path], objective: Objective, kind: str
) -> None:
    data = write(tmp_path / "rows.jsonl", objective, 8)
    found = []
    for again in (False, True):
        knobs = {"gradient_checkpointing": again, "evaluation_fraction": 0, **RANDOM}
        run = opened(tmp_path / f"run-{again}", spec_for(objective, data, models[kind], knobs))
        run.model.train()
        calls: Counter[Any] = Counter()
        layers = next(
            m for n, m in run.model.named_modules() if n.endswith(("layer", "layers", "block"))
        )
        for part in list(layers[0].modules())[1:]:
            part.register_forward_pre_hook(lambda part, _, calls=calls: calls.update([part]))
        run.weights.zero_gradients()
        torch.manual_seed(0)
        measured = compute.measure(run, run.data.train, range(8), learn=True)
        found.append((measured.loss, run.weights.gradient.clone()))
        assert max(calls.values(), default=1) == (2 if again else 1)
    (loss, gradient), (loss_again, gradient_again) = found
    assert loss == loss_again
    assert torch.allclose(gradient, gradient_again, rtol=1e-4, atol=1e-7)


def ran(folder: Path, objective: Objective, model: Path, **knobs: Any) -> Outcome:
    folder.mkdir()
    data = write(folder / "rows.jsonl", objective, 20)
    more = {"max_steps": 5, "evaluation_fraction": 0.2, "evaluation_steps": 5, **RANDOM, **knobs}
    outcome = run_here(folder / "run", spec_for(objective, data, model, more))
    assert outcome.code == ExitCode.FINISHED, outcome.last
    return outcome


@pytest.mark.parametrize(
    ("objective", "kind"),
    [
        (Objective.SFT, "llama"),
        (Objective.CLASSIFY, "bert"),
        pytest.param(Objective.SEQ2SEQ, "t5", marks=pytest.mark.long),
        pytest.param(Objective.PRETRAIN, "llama", marks=pytest.mark.long),
    ],
)
def test_sample_answers_on_the_way_change_nothing(
    tmp_path: Path, models: dict[str, Path], objective: Objective, kind: str
) -> None:
    plain = ran(tmp_path / "plain", objective, models[kind])
    shown = ran(tmp_path / "shown", objective, models[kind], sample_steps=2)
    samples = {e.step: e.items for e in shown.events if e.type == "samples"}
    assert sorted(samples) == [2, 4, 5]
    assert all(len(items) == 3 for items in samples.values())
    assert all(item.prompt and item.expected for items in samples.values() for item in items)
    if objective is Objective.CLASSIFY:
        assert {item.answer for item in samples[5]} <= {"red", "green", "blue"}
    assert shown.series("loss") == plain.series("loss")
    assert shown.series("eval_loss") == plain.series("eval_loss")


@pytest.mark.parametrize("error", [RuntimeError("no\n room"), KeyError("cache"), IndexError("x")])
def test_answers_that_can_not_be_had_do_not_end_the_run(
    tmp_path: Path, tiny_model: Path, error: Exception
) -> None:
    plain = ran(tmp_path / "plain", Objective.SFT, tiny_model)

    def failing(run: Any, *rest: Any) -> Any:
        run.model.eval()  # as generation does before it fails
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "_items", failing)
        outcome = ran(tmp_path / "failing", Objective.SFT, tiny_model, sample_steps=2)
    notices = [e for e in outcome.events if e.type == "notice" and e.code == "samples_failed"]
    assert len(notices) == 3
    assert all("not affected" in notice.message for notice in notices)
    assert not [e for e in outcome.events if e.type == "samples"]
    assert outcome.series("loss") == plain.series("loss")
