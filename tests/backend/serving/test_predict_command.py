"""`easytune predict`: real models, a real worker, no server."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from backend.cli import app
from tests.backend.serving.test_classify import build_classifier
from tests.training_engine.objectives.models import build_tiny_t5
from tests.training_engine.serve.tuned import Tuned, tune
from training_engine.contract.choices import Objective


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """A finished run: an encoder with an adapter and a head."""
    return tune(tmp_path_factory.mktemp("run"), "bert", Objective.CLASSIFY, "single_label")


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASYTUNE_DATA_DIR", str(tmp_path / "data"))


def predict(*arguments: object, lines: str | None = None) -> Result:
    return CliRunner().invoke(app, ["predict", *map(str, arguments)], input=lines)


def test_a_run_folder_answers_as_the_run_did(trained: Tuned) -> None:
    items = [event for event in trained.outcome.events if event.type == "samples"][-1].items
    done = predict(trained.outcome.run_dir, *(item.prompt for item in items))
    assert done.exit_code == 0, done.output
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [label for label, _ in lines] == [item.answer for item in items]
    assert all(0.3 < float(score) <= 1 for _, score in lines)


def test_an_adapter_that_stands_alone_needs_its_base(trained: Tuned, tmp_path: Path) -> None:
    assert trained.adapter is not None
    alone = shutil.copytree(trained.adapter, tmp_path / "alone")
    refused = predict(alone, "Hi")
    assert refused.exit_code == 2
    assert "--base" in refused.stderr
    done = predict(alone, "--base", trained.model, "Ada wears a red hat")
    assert done.exit_code == 0, done.output
    assert done.stdout.split("\t")[0] in {"red", "green", "blue"}


def test_lines_of_standard_input_as_json(tmp_path: Path) -> None:
    build_classifier(tmp_path / "model")
    text = "good\n\n" + "x" * 100 + "\n"
    done = predict(tmp_path / "model", "-", "--json", lines=text)
    assert done.exit_code == 0, done.output
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first["text"], first["kind"], first["truncated"]) == ("good", "single_label", False)
    assert {each["label"] for each in first["labels"]} == {"good", "bad"}
    assert second["truncated"]
    assert done.stderr == "1 texts were longer than what the model reads and were cut.\n"


@pytest.mark.long
def test_a_model_that_writes(tmp_path: Path) -> None:
    done = predict(
        build_tiny_t5(tmp_path / "t5"), "Hello", "You", "--json", "--max-new-tokens", "4"
    )
    assert done.exit_code == 0, done.output
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["text"] for each in told] == ["Hello", "You"]
    assert all("output" in each for each in told)


def test_a_model_that_can_not_answer_says_why(tmp_path: Path) -> None:
    build_classifier(tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    done = predict(tmp_path / "model", "Hello")
    assert done.exit_code == 1
    assert done.stderr.startswith("✖ model/model.safetensors is damaged")


@pytest.mark.parametrize(
    ("name", "said"),
    [("gone", "There is no folder"), ("empty", "holds no model"), ("run", "has no result")],
)
def test_what_is_no_model(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "spec.json").write_text("{}")
    done = predict(tmp_path / name, "Hello")
    assert done.exit_code == 2
    assert said in done.stderr
