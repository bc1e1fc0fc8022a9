"""Texts on both sides of a model's original length never share a pass."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_model import build_tiny_tokenizer
from tests.training_engine.objectives.opened import opened
from tests.training_engine.objectives.rows import spec_for, write_records
from tests.training_engine.objectives.test_formulas import paper
from tests.training_engine.specs import conversation, run_here
from training_engine import compute
from training_engine.contract.choices import Objective
from training_engine.models.positions import alike_up_to
from training_engine.run import Run

ORIGINAL = 100
SHAPE = {
    "vocab_size": 260,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 400,
    "initializer_range": 0.2,
    "pad_token_id": 256,
    "bos_token_id": None,
    "eos_token_id": 258,
}
LONGROPE: dict[str, Any] = {
    "rope_type": "longrope",
    "rope_theta": 100.0,
    "short_factor": [1.0] * 8,
    "long_factor": [1.5, 2, 3, 4, 5, 6, 7, 8],
    "original_max_position_embeddings": ORIGINAL,
}
KNOBS = {"max_steps": 2, "batch_size": 8, "evaluation_fraction": 0, "max_length": 400}


@pytest.fixture(scope="module")
def phi3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny one that rotates long texts by other factors."""
    from transformers import Phi3Config, Phi3ForCausalLM

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("phi3")
    config = Phi3Config(
        **SHAPE, rope_parameters=LONGROPE, original_max_position_embeddings=ORIGINAL
    )
    Phi3ForCausalLM(config).save_pretrained(folder)
    return build_tiny_tokenizer(folder)


def rows(objective: Objective, lengths: tuple[int, ...]) -> list[dict[str, Any]]:
    """Answers, or texts with a class, of so many letters; other answers are short."""
    found: list[dict[str, Any]] = []
    for i, length in enumerate(lengths):
        asked, text = conversation(f"I am {i}."), ("hello there, " * 40)[:length]
        good, bad = ([{"role": "assistant", "content": each}] for each in (text, "no"))
        match objective:
            case Objective.SFT:
                found.append({"messages": asked + good})
            case Objective.CLASSIFY:
                found.append({"text": text, "label": "ab"[i % 2]})
            case _:
                found.append({"messages": asked, "chosen": good, "rejected": bad})
    return found


def before_training(folder: Path, model: Path, objective: Objective, *lengths: int) -> Run:
    data = write_records(folder / "rows.jsonl", rows(objective, lengths))
    return opened(folder / "run", spec_for(objective, data, model, KNOBS, method="full"))


@pytest.mark.parametrize(
    "objective", [Objective.SFT, Objective.DPO, Objective.CLASSIFY, Objective.REWARD]
)
@pytest.mark.parametrize("lengths", [(10, 250, 20, 150, 5), (10, 30, 20, 15, 5)])
def test_every_text_is_computed_as_it_is_by_itself(
    tmp_path: Path, phi3: Path, objective: Objective, lengths: tuple[int, ...]
) -> None:
    run = before_training(tmp_path, phi3, objective, *lengths)
    every = range(len(lengths))
    found = compute.measure(run, run.data.train, every, learn=True).loss
    wanted, gradients = paper(run, phi3)
    assert found == pytest.approx(float(wanted), rel=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(run.weights.gradients[name], gradient, rtol=1e-3, atol=1e-5)
    short = max(lengths) < ORIGINAL
    passes = compute.cut(run, run.data.train, every)
    assert (len(passes), run.criterion.forward.packed) == (1 if short else len(lengths), short)


def test_it_is_told(tmp_path: Path, phi3: Path) -> None:
    data = write_records(tmp_path / "rows.jsonl", rows(Objective.SFT, (10, 250)))
    outcome = run_here(tmp_path / "run", spec_for(Objective.SFT, data, phi3, KNOBS))
    assert outcome.last.type == "finished", outcome.last
    assert outcome.notices()["packing_off_lengths"] == {"tokens": ORIGINAL}


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ({"rope_type": "default"}, None),
        (LONGROPE, ORIGINAL),
        ({"rope_type": "dynamic", "factor": 2.0}, 400),
        ({"rope_type": "yarn", "factor": 2.0}, None),
    ],
)
def test_up_to_which_length_texts_are_alike(kind: dict[str, Any], most: int | None) -> None:
    from transformers import LlamaConfig

    assert alike_up_to(LlamaConfig(**SHAPE, rope_parameters={"rope_theta": 100.0, **kind})) == most


def test_models_without_rotations_are_alike_throughout() -> None:
    from transformers import BertConfig, GPT2Config

    assert alike_up_to(BertConfig()) is None
    assert alike_up_to(GPT2Config()) is None
