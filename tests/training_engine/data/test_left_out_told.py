"""Rows that are too long are accounted for, of whichever file they are and however few remain."""

from pathlib import Path
from typing import Any

from tests.training_engine.objectives.opened import opened
from tests.training_engine.running import events
from tests.training_engine.specs import conversation, greetings, make_spec, run_here, write_rows
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.data.order import held_out

KNOBS = {"max_length": 128, "leave_out_overlong": True}
CUT = ("rows_truncated", "validation_rows_truncated")
LONG = conversation("Tell me " * 40, "No.")
LONG_ANSWER = conversation("Tell me.", "more " * 60)


def notices(run_dir: Path) -> dict[str, dict[str, Any]]:
    return {e.code: e.params for e in events(run_dir) if e.type == "notice"}


def validated(spec: RunSpec, path: Path) -> RunSpec:
    """The run with these rows to measure on."""
    reference = spec.dataset.model_copy(update={"path": str(path)})
    return spec.model_copy(update={"validation_dataset": reference})


def test_the_only_row_that_was_held_out(tmp_path: Path, tiny_model: Path) -> None:
    knobs = Hyperparameters()
    (aside,) = held_out(knobs.seed, 12, knobs.evaluation_fraction)
    rows = greetings(12)
    rows[aside] = LONG
    data = write_rows(tmp_path / "data.jsonl", rows)
    run = opened(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=KNOBS))
    told = notices(tmp_path / "run")
    assert (told["data_ready"]["samples"], told["data_ready"]["evaluation_samples"]) == (11, 0)
    assert told["rows_left_out"] == {"rows": 1, "lines": str(aside + 11)}
    assert run.data.evaluation is None
    assert run.data.sets == [run.data.train]


def test_a_validation_file_of_long_rows_only(tmp_path: Path, tiny_model: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(5))
    own = write_rows(tmp_path / "own.jsonl", [LONG] * 3)
    spec = make_spec(data, tiny_model, hyperparameters=KNOBS)
    assert opened(tmp_path / "run", validated(spec, own)).data.evaluation is None
    told = notices(tmp_path / "run")
    assert "rows_left_out" not in told
    assert told["validation_rows_left_out"] == {"rows": 3, "lines": "11, 12, 13"}


def test_a_line_of_each_file(tmp_path: Path, tiny_model: Path) -> None:
    """The same number in both of them, and two rows."""
    short = greetings(4)
    data = write_rows(tmp_path / "data.jsonl", [*short, LONG, LONG_ANSWER, LONG_ANSWER])
    own = write_rows(tmp_path / "own.jsonl", [*short, LONG, LONG_ANSWER])
    spec = make_spec(data, tiny_model, hyperparameters=KNOBS)
    opened(tmp_path / "run", validated(spec, own))
    found = [e for e in events(tmp_path / "run") if e.type == "notice" and e.level == "warning"]
    told: dict[str, Any] = {e.code: e.params for e in found}
    assert told["rows_left_out"] == {"rows": 1, "lines": "15"}
    assert told["validation_rows_left_out"] == {"rows": 1, "lines": "15"}
    assert told["rows_truncated"]["lines"] == "16, 17"
    assert told["validation_rows_truncated"]["lines"] == "16"
    tokens = [told[code]["tokens"] for code in CUT]
    assert tokens[0] == 2 * tokens[1] > 0
    assert [told[code]["answers"] for code in CUT] == [2, 1]
    assert ["validation data" in e.message for e in found] == [
        e.code.startswith("validation") for e in found
    ]


def test_the_file_itself_to_measure_on(tmp_path: Path, tiny_model: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", [*greetings(4), LONG])
    spec = make_spec(data, tiny_model, hyperparameters=KNOBS)
    opened(tmp_path / "run", validated(spec, data))
    told = notices(tmp_path / "run")
    assert told["rows_left_out"] == {"rows": 1, "lines": "15"}
    assert "validation_rows_left_out" not in told


def test_all_rows_to_train_on(tmp_path: Path, tiny_model: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", [LONG] * 3)
    spec = make_spec(data, tiny_model, hyperparameters={**KNOBS, "evaluation_fraction": 0})
    outcome = run_here(tmp_path / "run", spec)
    assert (outcome.code, outcome.last.code) == (ExitCode.FAILED, "bad_dataset")
    assert "All 3 rows" in outcome.last.message
    assert "(max_length) of 128 tokens" in outcome.last.message
    assert "line 11, 12, 13" in outcome.last.message
    assert outcome.last.hint.startswith("Raise max_length")
    assert outcome.last.params == {"lines": "11, 12, 13", "count": 3, "max_length": 128}


def test_no_rows_at_all(tmp_path: Path, tiny_model: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", [])
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=KNOBS))
    assert "has no rows" in outcome.last.message


def test_a_model_that_reads_less_than_was_asked_for(tmp_path: Path, tiny_model: Path) -> None:
    """Raising max_length would change nothing."""
    data = write_rows(tmp_path / "data.jsonl", [conversation("Tell me " * 300, "No.")])
    knobs = {**KNOBS, "max_length": 4000}
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    assert "of 2,048 tokens" in outcome.last.message
    assert outcome.last.hint.startswith("Choose a model that reads longer texts")


def test_a_row_of_the_validation_file_that_teaches_nothing(
    tmp_path: Path, tiny_model: Path
) -> None:
    """Its line is one of that file, and the message says so; one to train on is plainly a line."""
    good, bad = greetings(4), [*greetings(2), conversation("Hello?")]
    data = write_rows(tmp_path / "data.jsonl", good)
    own = write_rows(tmp_path / "own.jsonl", bad)
    found = {}
    for trained, measured in ((data, own), (own, data)):
        spec = validated(make_spec(trained, tiny_model), measured)
        outcome = run_here(tmp_path / trained.stem, spec)
        assert outcome.code == ExitCode.FAILED
        found[trained] = outcome.last
    assert [found[each].params["lines"] for each in (data, own)] == ["13", "13"]
    assert found[data].message == f"In the validation data: {found[own].message}"
