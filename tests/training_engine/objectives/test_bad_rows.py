"""Rows that do not fit an objective are named, with line and field, before a model is loaded."""

from pathlib import Path
from typing import Any

import pytest

from tests.training_engine.objectives.rows import record, spec_for, write_records
from tests.training_engine.specs import Outcome, conversation, run_here
from training_engine import build
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode

ANSWER = [{"role": "assistant", "content": "Yes."}]
EMPTY = [{"role": "user", "content": "Yes?"}]
OFF = [ANSWER[0] | {"train": False}]
CALL = {"type": "function", "function": {"name": "now", "arguments": {}}}
# What is changed in rows 2 and 4, the field that is named, words of the reason.
CASES: list[tuple[Objective, dict[str, Any], str, str]] = [
    (Objective.SFT, {"messages": conversation("Hi")}, "messages", "no answer"),
    (Objective.SFT, {"messages": None}, "messages", "no conversation"),
    (Objective.PRETRAIN, {"text": None}, "text", "no text"),
    (Objective.PRETRAIN, {"text": " \n"}, "text", "no text"),
    (Objective.CLASSIFY, {"text": ""}, "text", "no text"),
    (Objective.CLASSIFY, {"label": None}, "label", "no label"),
    (Objective.CLASSIFY, {"label": ""}, "label", "no label"),
    (Objective.CLASSIFY, {"label": []}, "label", "no label"),
    (Objective.CLASSIFY, {"label": [0.5, 1.25]}, "label", "several numbers for one text"),
    (Objective.SEQ2SEQ, {"messages": conversation("Hi")}, "messages", "end with an answer"),
    (Objective.SEQ2SEQ, {"messages": ANSWER}, "messages", "nothing comes before"),
    (Objective.SEQ2SEQ, {"messages": [*EMPTY, *OFF]}, "messages", "switched off"),
    (
        Objective.SEQ2SEQ,
        {"messages": [*EMPTY, ANSWER[0] | {"content": "", "tool_calls": [CALL]}]},
        "messages",
        "can not call tools",
    ),
    (
        Objective.SEQ2SEQ,
        {"messages": [*EMPTY, ANSWER[0] | {"tool_calls": [CALL]}, *EMPTY, *ANSWER]},
        "messages",
        "can not call tools",
    ),
    (Objective.SEQ2SEQ, {"tools": [{"name": "now"}]}, "tools", "can not describe tools"),
    (Objective.KTO, {"label": "good"}, "label", "true"),
    (Objective.KTO, {"label": 1}, "label", "true"),
    (Objective.KTO, {"label": None}, "label", "true"),
    (Objective.KTO, {"messages": conversation("Hi")}, "messages", "end with an answer"),
    (Objective.KTO, {"messages": [*EMPTY, *OFF]}, "messages", "switched"),
    *[
        case
        for objective in (Objective.DPO, Objective.ORPO, Objective.REWARD)
        for case in (
            (objective, {"chosen": None}, "chosen", "no answer"),
            (objective, {"chosen": EMPTY}, "chosen", "no answer"),
            (objective, {"rejected": []}, "rejected", "no answer"),
            (objective, {"chosen": OFF}, "chosen", "switched off"),
            (objective, {"rejected": OFF}, "rejected", "switched off"),
            (objective, {"chosen": ANSWER, "rejected": ANSWER}, "rejected", "same answer"),
            (objective, {"messages": None}, "messages", "no conversation"),
        )
    ],
]


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may come as far as to load one."""

    def loaded(*args: Any) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(build, "build", loaded)


def refused(
    tmp_path: Path,
    model: Path,
    objective: Objective,
    rows: list[dict[str, Any]],
    **knobs: Any,
) -> Any:
    outcome = tried(tmp_path, model, objective, rows, **knobs)
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "bad_dataset"), outcome.last
    assert outcome.last.hint
    return outcome.last


def tried(
    tmp_path: Path, model: Path, objective: Objective, rows: list[dict[str, Any]], **knobs: Any
) -> Outcome:
    numbered = [row | {"meta": {"line": i + 11}} for i, row in enumerate(rows)]
    data = write_records(tmp_path / "rows.jsonl", numbered)
    spec = spec_for(objective, data, model, {"evaluation_fraction": 0, **knobs})
    return run_here(tmp_path / "run", spec)


@pytest.mark.parametrize(("objective", "change", "field", "reason"), CASES, ids=str)
def test_rows_and_field_are_named(
    tmp_path: Path,
    tiny_model: Path,
    objective: Objective,
    change: dict[str, Any],
    field: str,
    reason: str,
) -> None:
    rows = [record(objective, i) | (change if i in (2, 4) else {}) for i in range(6)]
    failed = refused(tmp_path, tiny_model, objective, rows)
    assert failed.params["field"] == field
    assert (failed.params["lines"], failed.params["count"]) == ("13, 15", 2)
    assert reason in failed.message
    assert f"at {field}:" in failed.message
    assert "13, 15" in failed.message


def test_every_reason_is_told_with_its_lines(tmp_path: Path, tiny_model: Path) -> None:
    rows = [record(Objective.DPO, i) for i in range(8)]
    rows[1]["chosen"] = None
    rows[3]["rejected"] = []
    rows[5]["messages"] = None
    rows[6]["rejected"] = []
    failed = refused(tmp_path, tiny_model, Objective.DPO, rows)
    assert "at rejected: there is no answer of an assistant (line 14, 17); " in failed.message
    assert "at chosen: there is no answer of an assistant (line 12)" in failed.message
    assert "at messages: there is no conversation (line 16)" in failed.message
    assert failed.params == {"field": "chosen", "lines": "12, 14, 16, 17", "count": 4}


def test_every_kind_of_problem_is_told(tmp_path: Path, tiny_model: Path) -> None:
    rows = [record(Objective.DPO, i) for i in range(8)]
    rows[1]["chosen"] = None
    rows[3]["messages"] = conversation("Tell me " * 20) + rows[3]["messages"][1:]
    template = (
        "{% for m in messages %}{% if 'Cem' in m['content'] %}{{ raise_exception('No Cem.') }}"
        "{% elif 'Ida' in m['content'] %}{{ raise_exception('No Ida.') }}{% endif %}"
        "{{ '<|im_start|>' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    )
    rows.append(record(Objective.DPO, 8))
    failed = refused_with(tmp_path, tiny_model, rows, template)
    assert "at chosen: there is no answer of an assistant (line 12)." in failed.message
    assert "refuses rows: No Cem (line 13); No Ida (line 19)." in failed.message
    assert "cuts the whole answer away" in failed.message
    assert failed.message.index("at chosen") < failed.message.index("No Cem")
    assert "upload the data set" in failed.hint
    assert "leave_out_overlong" in failed.hint
    assert failed.params["field"] == "chosen"
    assert failed.params["lines"] == "12, 13, 14, 19"


def test_many_reasons_are_told_in_short(tmp_path: Path, tiny_model: Path) -> None:
    labels = [0.5, *(f"{i} " + "long " * 200 for i in range(12))]
    failed = refused(tmp_path, tiny_model, Objective.CLASSIFY, labelled(*labels))
    assert failed.message.count("is not a number") == 0
    assert "other reasons (line 17, 18, 19, 20, 21, 22, 23)" in failed.message
    assert len(failed.message) < 2500
    assert failed.params["count"] == 12


def refused_with(tmp_path: Path, model: Path, rows: list[dict[str, Any]], template: str) -> Any:
    numbered = [row | {"meta": {"line": i + 11}} for i, row in enumerate(rows)]
    data = write_records(tmp_path / "rows.jsonl", numbered)
    knobs = {"evaluation_fraction": 0, "max_length": 96}
    spec = spec_for(Objective.DPO, data, model, knobs, chat_template=template)
    return run_here(tmp_path / "run", spec).last


def labelled(*labels: Any) -> list[dict[str, Any]]:
    return [{"text": f"Text {i}", "label": label} for i, label in enumerate(labels)]


@pytest.mark.parametrize("kind", ["auto", "multi_label"])
def test_several_numbers_for_each_text(tmp_path: Path, tiny_model: Path, kind: str) -> None:
    """However few or many they are: as classes they would make no sense."""
    rows = labelled([0.5, 1.25], [0.5, 1.25], [3.0, 0.5])
    failed = refused(tmp_path, tiny_model, Objective.CLASSIFY, rows, label_kind=kind)
    assert "at label: several numbers for one text are not supported" in failed.message
    assert "give one number for each text" in failed.message
    assert failed.params == {"field": "label", "lines": "11, 12, 13", "count": 3}


@pytest.mark.parametrize("kind", ["auto", "multi_label"])
@pytest.mark.parametrize(
    "labels",
    [
        [[0, 1, 0], [1, 0, 1], [], [0, 0, 0]],
        [["0", "1", "1"], ["1", "0", "0"], [], [1, 1, 0]],
    ],
)
def test_a_mark_for_each_class(
    tmp_path: Path, tiny_model: Path, labels: list[Any], kind: str
) -> None:
    rows = labelled(*labels)
    failed = refused(tmp_path, tiny_model, Objective.CLASSIFY, rows, label_kind=kind)
    assert "lists of 3 zeros and ones" in failed.message
    assert "names of the classes" in failed.hint
    assert failed.params == {"field": "label", "lines": "11, 12, 14", "count": 3}


def test_no_class_where_others_have_one(tmp_path: Path, tiny_model: Path) -> None:
    rows = labelled("a", "b", [])
    failed = refused(tmp_path, tiny_model, Objective.CLASSIFY, rows)
    assert "at label: there is no label (line 13)" in failed.message


def test_one_class_only(tmp_path: Path, tiny_model: Path) -> None:
    failed = refused(tmp_path, tiny_model, Objective.CLASSIFY, labelled("a", "a", "a"))
    assert "at least two classes" in failed.message
    assert failed.params == {"field": "label", "classes": 1}


@pytest.mark.parametrize(
    ("labels", "kind", "line", "reason"),
    [
        ([0.5, "warm", 0.1], "regression", "12", "“warm” is not a number"),
        ([0.5, [0.1, 0.2], 0.1], "regression", "12", "one number is wanted"),
        (["a", "b", ["a", "b"]], "single_label", "13", "one class is wanted"),
        ([0.5, 0.25, "nan"], "regression", "13", "is not a number"),
    ],
)
def test_labels_of_another_kind(
    tmp_path: Path, tiny_model: Path, labels: list[Any], kind: str, line: str, reason: str
) -> None:
    rows = labelled(*labels)
    failed = refused(tmp_path, tiny_model, Objective.CLASSIFY, rows, label_kind=kind)
    assert failed.params == {"field": "label", "lines": line, "count": 1}
    assert reason in failed.message


@pytest.mark.parametrize("objective", [Objective.DPO, Objective.KTO, Objective.REWARD])
def test_answers_beyond_the_longest_length(
    tmp_path: Path, tiny_model: Path, objective: Objective
) -> None:
    """Cut at the question, both answers of a pair would be the same."""
    rows = [record(objective, i) for i in range(6)]
    rows[3]["messages"] = conversation("Tell me " * 20) + rows[3]["messages"][1:]
    failed = refused(tmp_path, tiny_model, objective, rows, max_length=96)
    assert "cuts the whole answer away" in failed.message
    assert "leave_out_overlong" in failed.hint
    assert "14" in str(failed.params["lines"])


def test_answers_that_differ_beyond_the_longest_length(tmp_path: Path, tiny_model: Path) -> None:
    rows = [record(Objective.DPO, i) for i in range(6)]
    for name in ("chosen", "rejected"):
        rows[3][name] = [{"role": "assistant", "content": "word " * 30 + name}]
    failed = refused(tmp_path, tiny_model, Objective.DPO, rows, max_length=128)
    assert failed.params["lines"] == "14"


@pytest.mark.parametrize("objective", [Objective.SFT, Objective.KTO, Objective.DPO])
def test_a_template_that_does_not_end_turns(
    tmp_path: Path, tiny_model: Path, objective: Objective
) -> None:
    rows = [record(objective, i) | {"meta": {"line": i + 11}} for i in range(4)]
    data = write_records(tmp_path / "rows.jsonl", rows)
    endless = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
    spec = spec_for(objective, data, tiny_model, {"evaluation_fraction": 0}, chat_template=endless)
    outcome = run_here(tmp_path / "run", spec)
    assert outcome.last.code == "bad_dataset"
    assert "never learn to stop" in outcome.last.message
