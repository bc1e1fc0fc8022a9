"""A run says once which of its settings do nothing, and only when some were made."""

from pathlib import Path
from typing import Any

import pytest

from tests.training_engine.objectives.models import build_tiny_t5
from tests.training_engine.objectives.rows import record, spec_for, write_records
from tests.training_engine.specs import Outcome, greetings, make_spec, run_here, write_rows
from training_engine.contract.choices import UNTEMPLATED, Objective
from training_engine.objectives import recipe_of

FEW = {"max_steps": 1, "lora_rank": 16}  # a default, which the specs of tests do not have


def notices(outcome: Outcome, code: str) -> list[Any]:
    assert outcome.last.type == "finished", outcome.last
    return [event for event in outcome.events if event.type == "notice" and event.code == code]


def test_settings_without_effect_are_told_once(tmp_path: Path, tiny_model: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    knobs = {**FEW, "lora_rank": 8, "cpo_alpha": 2.0, "evaluation_fraction": 0, "sample_steps": 3}
    spec = make_spec(data, tiny_model, method="full", hyperparameters=knobs)
    outcome = run_here(tmp_path / "run", spec)
    (told,) = notices(outcome, "knobs_idle")
    assert told.message == "These settings do nothing here: lora_rank, cpo_alpha."
    assert (told.level, told.params) == ("warning", {"knobs": "lora_rank, cpo_alpha"})
    (told,) = notices(outcome, "nothing_held_out")
    assert told.params == {"knobs": "sample_steps"}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_an_ordinary_run_says_nothing(tmp_path: Path, tiny_model: Path, method: str) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    spec = make_spec(data, tiny_model, method=method, hyperparameters=FEW)
    outcome = run_here(tmp_path / "run", spec)
    assert not notices(outcome, "knobs_idle")
    assert not notices(outcome, "nothing_held_out")


@pytest.mark.parametrize(("labels", "idle"), [((0.5, 1.5), True), ((0, 1), False)])
def test_labels_that_turn_out_to_be_numbers(
    tmp_path: Path, tiny_model: Path, labels: tuple[float, float], idle: bool
) -> None:
    rows = [record(Objective.CLASSIFY, i) | {"label": labels[i % 2]} for i in range(6)]
    data = write_records(tmp_path / "rows.jsonl", rows)
    knobs = {**FEW, "label_smoothing": 0.1, "evaluation_fraction": 0}
    outcome = run_here(tmp_path / "run", spec_for(Objective.CLASSIFY, data, tiny_model, knobs))
    assert [each.params for each in notices(outcome, "knobs_idle")] == [
        {"knobs": "label_smoothing"}
    ] * idle


@pytest.mark.parametrize(("strategy", "idle"), [("fsdp", True), ("ddp", False)])
def test_one_process_spreads_no_weights(
    tmp_path: Path, tiny_model: Path, strategy: str, idle: bool
) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    shared = {"strategy": strategy, "processes": 1}
    spec = make_spec(data, tiny_model, hyperparameters=FEW, distributed=shared)
    told = notices(run_here(tmp_path / "run", spec), "strategy_idle")
    assert [each.level for each in told] == ["warning"] * idle


OWN = "{% for message in messages %}{{ message.content }}<|im_end|>{% endfor %}"


@pytest.mark.parametrize(
    ("objective", "idle"),
    [
        (Objective.SFT, False),
        (Objective.PRETRAIN, True),
        (Objective.CLASSIFY, True),
        (Objective.SEQ2SEQ, True),
    ],
)
def test_a_template_for_texts_as_they_are(
    tmp_path: Path, tiny_model: Path, objective: Objective, idle: bool
) -> None:
    """It is not saved with the result either, and the card claims nothing of a template."""
    rows = [record(objective, i) for i in range(9)]
    data = write_records(tmp_path / "rows.jsonl", rows)
    seq2seq = objective is Objective.SEQ2SEQ
    model = build_tiny_t5(tmp_path / "t5") if seq2seq else tiny_model
    spec = spec_for(objective, data, model, FEW, chat_template=OWN)
    outcome = run_here(tmp_path / "run", spec)
    told = notices(outcome, "chat_template_idle")
    assert [each.params for each in told] == [{"objective": objective.value}] * idle
    output = outcome.run_dir / "output"
    shipped = output / "chat_template.jinja"
    assert (shipped.is_file() and shipped.read_text() == OWN) == (not idle)
    card = (output / "README.md").read_text()
    assert ("is the one that was trained with" in card) == (not idle)
    assert ("without a chat template" in card) == idle


@pytest.mark.parametrize("objective", list(Objective))
def test_which_objectives_take_a_template(objective: Objective) -> None:
    assert recipe_of(objective).reading.needs_template == (objective not in UNTEMPLATED)
