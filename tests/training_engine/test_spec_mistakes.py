"""A spec that is wrong is refused with all its mistakes, before anything heavy is loaded."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training_engine.running import REPOSITORY, events, make_run
from tests.training_engine.specs import make_spec
from training_engine.contract.names import ExitCode

CHILD = """
import sys
from pathlib import Path
from training_engine import train
code = train.main([sys.argv[1]])
assert not {"torch", "transformers", "numpy"} & sys.modules.keys()
sys.exit(code)
"""


def refused(run_dir: Path) -> Any:
    """The event that ended the run of a folder."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(run_dir)], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert child.returncode == ExitCode.SPEC_REFUSED, child.stderr
    found = events(run_dir)
    assert [event.type for event in found] == ["started", "failed"]
    assert found[-1].code == "bad_spec"
    assert found[-1].hint
    return found[-1]


@pytest.fixture
def spec(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        make_spec(tmp_path / "rows.jsonl", tmp_path).model_dump_json()
    )
    return found


def test_every_mistake_is_told_with_its_place(tmp_path: Path, spec: dict[str, Any]) -> None:
    del spec["name"]
    spec["objective"] = "sftt"
    spec["model"]["nmae"] = "x"
    spec["dataset"]["num_rows"] = "many"
    knobs = spec["hyperparameters"]
    knobs |= {"learnig_rate": 1e-3, "epochs": -1, "batch_size": 2, "micro_batch_size": 4}
    failed = refused(make_run(tmp_path / "run", spec))
    places = (
        "name: ",
        "objective: ",
        "model.nmae: ",
        "dataset.num_rows: ",
        "hyperparameters.learnig_rate: ",
        "hyperparameters.epochs: ",
        "hyperparameters.micro_batch_size: ",  # right by itself, and more than the batch
    )
    for place in places:
        assert failed.message.count(place) >= 1, failed.message
    assert "learning_rate" in failed.message  # what was meant
    assert failed.params["count"] == len(places)
    assert f"{failed.params['field']}: " in failed.message


def test_a_field_with_alternatives_is_told_once(tmp_path: Path, spec: dict[str, Any]) -> None:
    """Not as `micro_batch_size.int` and `micro_batch_size.literal['auto']`."""
    spec["hyperparameters"] |= {"micro_batch_size": "many", "target_modules": [1, 2]}
    spec["validation_dataset"] = {**spec["dataset"], "num_rows": "many"}
    failed = refused(make_run(tmp_path / "run", spec))
    for field in ("micro_batch_size", "target_modules"):
        assert f"hyperparameters.{field}: " in failed.message
        assert failed.message.count(field) == 1, failed.message
    assert "validation_dataset.num_rows: " in failed.message
    assert failed.params == {"field": "validation_dataset.num_rows", "count": 3}


def test_choices_that_exclude_each_other_have_places(tmp_path: Path, spec: dict[str, Any]) -> None:
    spec["hyperparameters"]["optimizer"] = "muon"
    spec["dataset"]["record_type"] = "classification"
    failed = refused(make_run(tmp_path / "run", spec))
    assert "hyperparameters.optimizer: muon is for" in failed.message
    assert "dataset.record_type: greetings holds classification rows" in failed.message
    assert failed.params == {"field": "hyperparameters.optimizer", "count": 2}


def test_choices_that_exclude_each_other_are_told_beside_wrong_fields(
    tmp_path: Path, spec: dict[str, Any]
) -> None:
    spec["dataset"] |= {"record_type": "classification", "num_rows": "many"}
    spec["hyperparameters"] |= {"optimizer": "muon", "epochs": -1, "batch_size": 4}
    spec["distributed"] = {"processes": 8}
    failed = refused(make_run(tmp_path / "run", spec))
    for told in (
        "dataset.num_rows: ",
        "dataset.record_type: greetings holds classification rows",
        "hyperparameters.epochs: ",
        "hyperparameters.optimizer: muon is for",
        "distributed.processes: 8 processes share a step of 4 samples",
    ):
        assert told in failed.message
    assert failed.params["count"] == 5


def test_what_follows_from_a_wrong_field_is_not_told(tmp_path: Path, spec: dict[str, Any]) -> None:
    """With a batch size that is no number, nothing exceeds it."""
    spec["hyperparameters"] |= {"batch_size": "all", "micro_batch_size": 64}
    spec["objective"] = "sftt"
    spec["dataset"]["record_type"] = "classification"
    spec["distributed"] = {"processes": 32}
    failed = refused(make_run(tmp_path / "run", spec))
    assert failed.params["count"] == 2, failed.message


def test_what_is_no_json_tells_the_place(tmp_path: Path, spec: dict[str, Any]) -> None:
    run_dir = make_run(tmp_path / "run", spec)
    lines = json.dumps(spec, indent=1).splitlines()
    lines[4] = lines[4].replace('"', "", 1)
    (run_dir / "spec.json").write_text("\n".join(lines))
    failed = refused(run_dir)
    assert "spec.json: Invalid JSON" in failed.message
    assert "line 5" in failed.message


def test_no_spec_at_all(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    failed = refused(tmp_path / "run")
    assert "spec.json can not be read" in failed.message


def test_an_adapter_needs_a_layer(tmp_path: Path, spec: dict[str, Any]) -> None:
    spec["hyperparameters"]["target_modules"] = []
    failed = refused(make_run(tmp_path / "run", spec))
    assert "hyperparameters.target_modules" in failed.message
    assert "at least 1 item" in failed.message
