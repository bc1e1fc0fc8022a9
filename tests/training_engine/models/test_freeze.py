"""Freeze tuning: which parameters learn."""

from pathlib import Path
from typing import Any

import pytest
from torch import nn

from tests.training_engine.specs import greetings, make_spec, run_here, write_rows
from training_engine.failures import EngineFailure
from training_engine.models.freeze import freeze, layer_stack


def learning(model: nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_the_last_layer_and_the_final_norm_learn(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model)
    names = freeze(model, 1)
    last = {f"model.layers.1.{name}" for name, _ in model.model.layers[1].named_parameters()}
    assert set(names) == learning(model) == last | {"model.norm.weight"}


def test_more_layers_than_there_are_is_all_of_them(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model)
    freeze(model, 50)
    frozen = {name for name, _ in model.named_parameters()} - learning(model)
    assert frozen == {"model.embed_tokens.weight"}


@pytest.mark.parametrize(("wanted", "told"), [(2, None), (3, {"layers": 2, "wanted": 3})])
def test_more_layers_than_there_are_is_told(
    tmp_path: Path, tiny_model: Path, wanted: int, told: dict[str, int] | None
) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(6))
    knobs = {"trainable_layers": wanted, "max_steps": 1, "evaluation_fraction": 0}
    spec = make_spec(data, tiny_model, method="freeze", hyperparameters=knobs)
    outcome = run_here(tmp_path / "run", spec)
    assert outcome.last.type == "finished"
    assert outcome.notices().get("fewer_layers") == told


def test_of_two_stacks_the_decoder_and_no_list_inside_a_layer() -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2,
        decoder_start_token_id=0,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config)
    assert layer_stack(model)[0] == "decoder.block"
    freeze(model, 1)
    assert "decoder.final_layer_norm.weight" in learning(model)
    assert all(name.startswith("decoder.") for name in learning(model))
    assert not any(name.startswith("decoder.block.0.") for name in learning(model))


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(EngineFailure, match="no list of layers"):
        freeze(nn.Linear(2, 2), 1)
