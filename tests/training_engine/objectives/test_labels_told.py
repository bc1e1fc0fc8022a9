"""How labels were understood is said, and what would make a poor classifier."""

from pathlib import Path
from typing import Any

import pytest

from tests.training_engine.objectives.opened import opened
from tests.training_engine.objectives.rows import record, spec_for, write_records
from tests.training_engine.specs import Outcome, conversation, run_here
from training_engine import loop
from training_engine.contract.choices import Objective

NO_EVALUATION = {"evaluation_fraction": 0}


def told(
    tmp_path: Path, model: Path, objective: Objective, rows: list[dict[str, Any]], **knobs: Any
) -> Outcome:
    data = write_records(tmp_path / "rows.jsonl", rows)
    spec = spec_for(objective, data, model, {"evaluation_fraction": 0, **knobs})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "train", lambda run: loop.Ending.STOPPED)
        return run_here(tmp_path / "run", spec)


def judged(questions: str) -> list[dict[str, Any]]:
    """A judged answer of its own to each of these questions."""
    return [
        {"messages": conversation(f"Question {asked}?", f"Answer {i}."), "label": i % 2 == 0}
        for i, asked in enumerate(questions)
    ]


def labelled(labels: list[Any]) -> list[dict[str, Any]]:
    return [{"text": f"Text {i}", "label": label} for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("labels", "kind", "classes", "names"),
    [
        (["b", "a", "b", "a"], "single_label", 2, "a, b"),
        ([10, 9, 10, 9.0], "single_label", 2, "9, 10"),
        ([["x", "y"], ["y"], [], "x"], "multi_label", 2, "x, y"),
        ([[2, 5], [5], [11, 2], []], "multi_label", 3, "2, 5, 11"),
        ([[0], [1], [1, 0], []], "multi_label", 2, "0, 1"),
        ([[0, 1], [2, 1]], "multi_label", 3, "0, 1, 2"),
        ([0.5, 1, 2, 3.25], "regression", 1, "score"),
        ([True, False, True, False], "single_label", 2, "False, True"),
        # The cells of a CSV file are text.
        (["1.5", "2.0", " 2.50", "-1e-1"], "regression", 1, "score"),
        (["0.5", "0.50", "3", 4], "regression", 1, "score"),
        (["10", "9", "10", "9"], "single_label", 2, "9, 10"),
        (["1.0", "2.0", "1.0", "2.0"], "single_label", 2, "1.0, 2.0"),
        (["1.5", "good", "1.5", "good"], "single_label", 2, "1.5, good"),
        (["1.5", True, "1.5", True], "single_label", 2, "1.5, True"),
        (["1_5.5", "nan", "1_5.5", "nan"], "single_label", 2, "1_5.5, nan"),
        ([["0.5"], ["1.5", "0.5"]], "multi_label", 2, "0.5, 1.5"),
    ],
)
def test_how_labels_were_read(
    tmp_path: Path, tiny_bert: Path, labels: list[Any], kind: str, classes: int, names: str
) -> None:
    outcome = told(tmp_path, tiny_bert, Objective.CLASSIFY, labelled(labels))
    assert outcome.notices()["labels_read"] == {"kind": kind, "classes": classes, "names": names}
    ready = next(e for e in outcome.events if e.type == "notice" and e.code == "data_ready")
    assert "learnt" not in ready.message
    assert "classes_unbalanced" not in outcome.notices()


def test_numbers_written_as_text_may_be_named_classes(tmp_path: Path, tiny_bert: Path) -> None:
    rows = labelled(["1.1", "1.10", "1.1", "1.10"])
    outcome = told(tmp_path, tiny_bert, Objective.CLASSIFY, rows, label_kind="single_label")
    assert outcome.notices()["labels_read"]["names"] == "1.1, 1.10"


def test_ratings_of_a_table_are_learnt_as_numbers(tmp_path: Path, tiny_bert: Path) -> None:
    data = write_records(tmp_path / "rows.jsonl", labelled(["0.5", "0.50", "2", "3.25"]))
    run = opened(tmp_path / "run", spec_for(Objective.CLASSIFY, data, tiny_bert, NO_EVALUATION))
    assert run.data.train.labels is not None
    assert run.data.train.labels.tolist() == [0.5, 0.5, 2.0, 3.25]
    assert run.model.config.problem_type == "regression"


def test_labels_that_are_no_classes(tmp_path: Path, tiny_bert: Path) -> None:
    rows = labelled([f"Title {i}" for i in range(12)])
    outcome = told(tmp_path, tiny_bert, Objective.CLASSIFY, rows)
    notice = next(e for e in outcome.events if e.type == "notice" and e.code == "labels_read")
    assert notice.level == "warning"
    assert "no classes" in notice.message
    assert notice.params["classes"] == 12
    assert str(notice.params["names"]).count(",") == 9


def test_very_unequal_classes(tmp_path: Path, tiny_bert: Path) -> None:
    rows = labelled(["often"] * 40 + ["rare"])
    outcome = told(tmp_path, tiny_bert, Objective.CLASSIFY, rows)
    expected = {"most": 40, "fewest": 1, "rarest": "rare"}
    assert outcome.notices()["classes_unbalanced"] == expected


def test_answers_that_are_all_judged_alike(tmp_path: Path, tiny_model: Path) -> None:
    rows = [record(Objective.KTO, i) | {"label": False} for i in range(5)]
    outcome = told(tmp_path, tiny_model, Objective.KTO, rows)
    assert outcome.notices()["judged_alike"] == {"judged": "bad"}


def test_answers_to_one_question_only(tmp_path: Path, tiny_model: Path) -> None:
    outcome = told(tmp_path, tiny_model, Objective.KTO, judged("aaaa"))
    notice = next(e for e in outcome.events if e.type == "notice" and e.code == "one_question")
    assert notice.level == "warning"


def test_answers_to_several_questions(tmp_path: Path, tiny_model: Path) -> None:
    assert "one_question" not in told(tmp_path, tiny_model, Objective.KTO, judged("aaab")).notices()


def test_expected_labels_are_told_as_answers_are(tmp_path: Path, tiny_model: Path) -> None:
    """Numbers of classes without a fraction, none of the classes as a dash."""
    train = write_records(tmp_path / "rows.jsonl", labelled([[2.0, 5.0], [5.0]] * 4))
    held_out = write_records(tmp_path / "held-out.jsonl", labelled([[], [2.0, 5.0], [5.0]]))
    validation = {"name": "v", "path": str(held_out), "sha256": "0" * 64, "num_rows": 3}
    spec = spec_for(
        Objective.CLASSIFY, train, tiny_model, {"max_steps": 1},
        validation_dataset=validation | {"record_type": "classification"},
    )  # fmt: skip
    outcome = run_here(tmp_path / "run", spec)
    items = next(event.items for event in outcome.events if event.type == "samples")
    assert [item.expected for item in items] == ["–", "2, 5", "5"]
