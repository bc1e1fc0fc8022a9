"""Knobs that do nothing in a run are found by their hints, and defaults are never among them."""

from typing import Any

import pytest

from training_engine.contract.choices import RECORD_TYPES_OF, LabelKind, Method, Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.idle_knobs import idle_knobs, waiting_knobs
from training_engine.contract.spec import RunSpec
from training_engine.memory import recommend


def spec(
    objective: Objective = Objective.SFT,
    method: Method = Method.LORA,
    knobs: dict[str, Any] | None = None,
    *,
    validated: bool = False,
) -> RunSpec:
    data = {"name": "rows", "path": "rows.jsonl", "sha256": "0" * 64, "num_rows": 100}
    data["record_type"] = min(RECORD_TYPES_OF[objective])
    return RunSpec.model_validate(
        {
            "run_id": "run-1",
            "name": "A test",
            "model": {"name": "example/tiny", "path": "tiny"},
            "dataset": data,
            "validation_dataset": data if validated else None,
            "output_name": "tiny",
            "objective": objective,
            "method": method,
            "hyperparameters": knobs or {},
        }
    )


@pytest.mark.parametrize(
    ("objective", "method", "knobs", "idle"),
    [
        ("dpo", "lora", {"label_smoothing": 0.1, "cpo_alpha": 2}, ["label_smoothing", "cpo_alpha"]),
        ("cpo", "lora", {"label_smoothing": 0.1, "cpo_alpha": 2}, ["label_smoothing"]),
        ("seq2seq", "lora", {"packing": False, "max_target_length": 99}, ["packing"]),
        ("classify", "full", {"packing": False, "label_kind": "multi_label"}, ["packing"]),
        ("sft", "full", {"lora_rank": 8, "target_modules": ["q"]}, ["lora_rank", "target_modules"]),
        ("sft", "full", {"trainable_layers": 4, "quantization": "int8"},
         ["quantization", "trainable_layers"]),
        ("sft", "freeze", {"trainable_layers": 4, "lora_alpha": 8}, ["lora_alpha"]),
        ("sft", "lora", {"quantization": "int8", "lora_rank": 8}, ["quantization"]),
        ("sft", "qlora", {"quantization": "int8", "lora_rank": 8}, []),
        ("sft", "lora", {"decay_ratio": 0.1, "lora_plus_ratio": 2},
         ["decay_ratio", "lora_plus_ratio"]),
        ("sft", "lora", {"decay_ratio": 0.1, "schedule": "wsd"}, []),
        ("sft", "lora", {"lora_plus_ratio": 2, "lora_variant": "lora_plus"}, []),
        ("sft", "full", {"lora_plus_ratio": 2, "lora_variant": "lora_plus"},
         ["lora_variant", "lora_plus_ratio"]),
        ("sft", "lora", {"packing": False, "micro_batch_size": 2}, ["micro_batch_size"]),
        ("sft", "lora", {"packing": True, "micro_batch_size": 2}, []),
        ("reward", "lora", {"sample_steps": 5, "beta": 0.2}, ["beta", "sample_steps"]),
    ],
)  # fmt: skip
def test_what_does_not_apply_is_named(
    objective: str, method: str, knobs: dict[str, Any], idle: list[str]
) -> None:
    asked = spec(Objective(objective), Method(method), knobs)
    assert idle_knobs(asked, LabelKind.SINGLE) == idle


@pytest.mark.parametrize("kind", list(LabelKind))
def test_numbers_are_not_smoothed(kind: LabelKind) -> None:
    asked = spec(Objective.CLASSIFY, knobs={"label_smoothing": 0.1})
    assert idle_knobs(asked, kind) == ["label_smoothing"] * (kind is LabelKind.REGRESSION)


@pytest.mark.parametrize(
    ("fraction", "validated", "idle"),
    [(0.1, True, ["evaluation_fraction"]), (0.0, True, []), (0.1, False, [])],
)
def test_beside_a_set_of_its_own_nothing_is_held_out(
    fraction: float, validated: bool, idle: list[str]
) -> None:
    asked = spec(knobs={"evaluation_fraction": fraction}, validated=validated)
    assert idle_knobs(asked, LabelKind.AUTO) == idle


@pytest.mark.parametrize("objective", list(Objective))
@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("validated", [True, False])
def test_defaults_and_what_is_recommended_are_no_mistakes(
    objective: Objective, method: Method, validated: bool
) -> None:
    """A form sends every knob, those that it does not show with their defaults."""
    plain = Hyperparameters().model_dump(mode="json")
    found = recommend(
        10**9, 15, 100.0, method, "complex", objective=objective, held_out_apart=validated
    )
    for knobs in (plain, found.hyperparameters.model_dump(mode="json")):
        asked = spec(objective, method, knobs, validated=validated)
        assert idle_knobs(asked, LabelKind.REGRESSION) == []
        assert waiting_knobs(asked) == []


@pytest.mark.parametrize(
    ("knobs", "waiting"),
    [
        ({"output_checkpoint": "fastest"}, ["output_checkpoint"]),
        ({"output_checkpoint": "last"}, []),
        ({"early_stopping_patience": 5, "sample_steps": 9},
         ["sample_steps", "early_stopping_patience"]),
        ({"early_stopping_patience": None}, []),
        ({"evaluation_steps": 5, "save_steps": 5}, []),  # the first says when to save, too
    ],
)  # fmt: skip
def test_what_waits_for_held_out_rows(knobs: dict[str, Any], waiting: list[str]) -> None:
    assert waiting_knobs(spec(knobs=knobs)) == waiting
