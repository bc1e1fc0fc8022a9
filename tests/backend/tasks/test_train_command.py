"""`easytune train`: from a file to a model without server or database. The engine is a fake."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from backend.settings import PROJECT_ROOT, load
from backend.tasks import local_models
from backend.tasks.local_inputs import BadInput
from backend.tasks.local_models import find_model
from backend.tasks.train_command import app
from backend.tasks.train_file import ModelWish
from tests.tiny_model import build_tiny_model
from training_engine.contract.choices import Objective
from training_engine.contract.model_folder import code_sha256

# The command as it is, but for the engine that the run host starts.
COMMAND = """\
import functools, json, os, sys
from backend.jobs.run_folder import RunFolder
from backend.tasks import train_command
if fake := os.environ.get("FAKE"):
    create = RunFolder.create
    RunFolder.create = lambda self, spec: create(self, {**spec, "fake": json.loads(fake)})
train_command.ForegroundRun = functools.partial(
    train_command.ForegroundRun, child="tests.fakes.engine"
)
train_command.app(sys.argv[1:])
"""
RUN = """\
name: Lamp bot
model: model
dataset: lamps.jsonl
output_name: lamp-bot
"""
CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny_model(tmp_path / "model")
    (tmp_path / "lamps.jsonl").write_text(f"{json.dumps(CHAT)}\n" * 20)
    (tmp_path / "run.yaml").write_text(RUN)
    return tmp_path


def _start(folder: Path, *arguments: str, **fake: float) -> subprocess.Popen[str]:
    """The command under way; `fake` is how the engine behaves."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("EASYTUNE_")}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        env={
            **variables,
            "PYTHONPATH": str(PROJECT_ROOT),
            "EASYTUNE_DATA_DIR": str(folder / "data"),
            "COLUMNS": "200",
            "FAKE": json.dumps(fake) if fake else "",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _train(folder: Path, *arguments: str) -> tuple[int, str]:
    process = _start(folder, *arguments)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


@pytest.fixture
def refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What is said when nothing is started; in this process."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("EASYTUNE_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == 2, result.output
        assert not list(folder.glob("**/spec.json"))
        return result.output

    return call


def test_it_trains_and_says_where_the_model_is(folder: Path) -> None:
    code, said = _train(folder, "run.yaml", "--output", "out")
    assert code == 0, said
    assert "The model is in out/output" in said
    spec = json.loads((folder / "out" / "spec.json").read_text())
    assert (spec["dataset"]["num_rows"], spec["model"]["name"]) == (20, "model")
    assert pl.read_parquet(spec["dataset"]["path"], use_pyarrow=False).height == 20
    again, said = _train(folder, "run.yaml", "--output", "out")
    assert (again, "already holds a run" in said) == (2, True)


@pytest.mark.long
def test_without_output_every_run_has_its_folder(folder: Path) -> None:
    code, said = _train(folder, "run.yaml")
    assert code == 0, said
    (made,) = (folder / "runs").iterdir()
    assert made.name.startswith("lamp-bot-")


def test_errors_of_the_file_come_all_at_once(folder: Path, refused: Callable[..., str]) -> None:
    (folder / "run.yaml").write_text(RUN.replace("lamps.jsonl", "no.jsonl") + "method: magic\n")
    said = refused("run.yaml")
    assert "run.yaml:3: dataset" in said
    assert "run.yaml:5: method" in said


def test_model_data_and_length_are_refused_together(
    folder: Path, refused: Callable[..., str]
) -> None:
    (folder / "lamps.jsonl").write_text('{"text": "good", "label": "positive"}\n' * 9)
    text = RUN + "validation: val.jsonl\nobjective: seq2seq\n"
    (folder / "val.jsonl").write_text('{"messages": [}\n')
    (folder / "run.yaml").write_text(text + "hyperparameters: {max_length: 9999}\n")
    said = refused("run.yaml", "--output", "out")
    assert "model: model is a LlamaForCausalLM, and seq2seq needs an encoder–decoder" in said
    assert "hyperparameters.max_length: model reads 2048 tokens at most" in said
    assert "lamps.jsonl: these are classification rows, and seq2seq needs" in said
    assert "Choose objective classify, or say with a mapping" in said
    assert "val.jsonl:1:" in said
    assert not (folder / "out" / "data").exists()


def test_the_model_is_looked_at_beside_errors_of_the_file(
    folder: Path, refused: Callable[..., str]
) -> None:
    text = RUN + "objective: seq2seq\nhyperparameters: {epochs: -1, max_length: 9999}\n"
    (folder / "run.yaml").write_text(text)
    said = refused("run.yaml")
    assert "run.yaml:6: hyperparameters.epochs" in said
    assert "model: model is a LlamaForCausalLM, and seq2seq needs" in said
    assert "hyperparameters.max_length: model reads 2048 tokens at most" in said


def test_a_model_in_a_home_that_nobody_has(folder: Path, refused: Callable[..., str]) -> None:
    (folder / "run.yaml").write_text(RUN.replace("model: model", "model: ~nobody-of-this-name/m"))
    assert "model: there is no home folder for ~nobody-of-this-name/m." in refused("run.yaml")


@pytest.mark.parametrize("place", ["downloaded", "below a root"])
def test_models_of_the_platform_are_found_by_the_names_it_gives_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """As the run file names them that can be downloaded from the wizard."""
    name = "acme/tiny"
    if place == "downloaded":
        own = folder / "data" / "models" / "0195b0c2-3f7e-7000-8000-000000000001"
        own.parent.mkdir(parents=True)
        (folder / "model").rename(own)
        (own / "origin.json").write_text(json.dumps({"reference": name, "revision": "a" * 40}))
    else:
        own = folder / "acme" / "inner" / "tiny"
        own.parent.mkdir(parents=True)
        (folder / "model").rename(own)
        name = "acme/inner/tiny"
        monkeypatch.setenv("EASYTUNE_MODEL_ROOTS", str(folder / "acme"))
    wish = ModelWish(name, Objective.SFT, 1024)
    monkeypatch.setenv("EASYTUNE_DATA_DIR", str(folder / "data"))
    elsewhere = folder / "elsewhere"
    found = find_model(wish, elsewhere, load())
    assert Path(found.path) == own
    if place == "downloaded":
        assert (found.name, found.revision) == (name, "a" * 40)


def test_when_the_starter_can_not_be_made_the_next_try_begins_anew(
    folder: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise BadInput("model: the disk is full.")

    monkeypatch.setattr(local_models, "prepare_starter", fails)
    (folder / "run.yaml").write_text(RUN.replace("model: model", "model: starter"))
    for _ in range(2):
        assert "the disk is full" in refused("run.yaml", "--output", "out")
    assert not (folder / "out" / "data").exists()


@pytest.mark.long
def test_several_processes_reach_the_spec(folder: Path) -> None:
    (folder / "run.yaml").write_text(RUN + "distributed: {processes: 2}\n")
    code, said = _train(folder, "run.yaml", "--output", "out")
    assert code == 0, said
    spec = json.loads((folder / "out" / "spec.json").read_text())
    assert spec["distributed"] == {"strategy": "ddp", "processes": 2}


def test_a_starter_that_can_not_learn_this_is_refused_before_it_is_made(
    folder: Path, refused: Callable[..., str]
) -> None:
    (folder / "run.yaml").write_text(RUN.replace("model: model", "model: starter-encoder"))
    said = refused("run.yaml")
    assert "all-MiniLM-L6-v2 is a BertModel, and sft needs a model that continues text" in said
    assert "max_length: sentence-transformers/all-MiniLM-L6-v2 reads 512 tokens" in said
    assert "Preparing" not in said


def test_bad_rows_name_their_lines(folder: Path, refused: Callable[..., str]) -> None:
    lines = [json.dumps(CHAT)] * 3 + ['{"messages": [}', json.dumps({"messages": []})]
    (folder / "lamps.jsonl").write_text("\n".join(lines) + "\n")
    said = refused("run.yaml")
    assert "lamps.jsonl:4:" in said
    assert "lamps.jsonl:5:" in said


def test_data_of_another_kind_is_refused(folder: Path, refused: Callable[..., str]) -> None:
    (folder / "lamps.jsonl").write_text('{"text": "good", "label": "positive"}\n' * 9)
    assert "classification rows" in refused("run.yaml")


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("./nowhere", "there is no folder"),
        ("acme/unheard-of", "neither a folder"),
        ("data-only", "no config.json"),
    ],
)
def test_models_that_are_not_there(
    folder: Path, refused: Callable[..., str], model: str, told: str
) -> None:
    (folder / "data-only").mkdir()
    (folder / "run.yaml").write_text(RUN.replace("model: model", f"model: {model}"))
    assert told in refused("run.yaml")


def test_a_model_without_chat_template_is_refused(
    folder: Path, refused: Callable[..., str]
) -> None:
    (folder / "model" / "chat_template.jinja").unlink()
    assert "no chat template" in refused("run.yaml")


@pytest.mark.parametrize(
    "arguments",
    [("--resume", "model"), ("--resume", "run.yaml"), (), ("run.yaml", "--resume", "b")],
)
def test_nothing_to_resume(refused: Callable[..., str], arguments: tuple[str, ...]) -> None:
    assert refused(*arguments).startswith("✖")


@pytest.mark.long
def test_an_interruption_saves_and_the_run_goes_on_later(folder: Path) -> None:
    process = _start(folder, "run.yaml", "--output", "out", steps=4000)
    events = folder / "out" / "events.jsonl"
    deadline = time.monotonic() + 60
    while not (events.exists() and '"metrics"' in events.read_text()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "easytune train --resume out" in said
    spec = json.loads((folder / "out" / "spec.json").read_text())
    del spec["fake"]
    (folder / "out" / "spec.json").write_text(json.dumps(spec))
    code, said = _train(folder, "--resume", "out", "--micro-batch-size", "99")
    assert (code, "at most the batch size (8)" in said) == (2, True), said
    code, said = _train(folder, "--resume", "out", "--micro-batch-size", "2")
    assert code == 0, said
    spec = json.loads((folder / "out+2" / "spec.json").read_text())
    assert spec["attempt"] == 2
    assert spec["resume_from"].startswith(str(folder / "out" / "checkpoints" / "step-"))
    assert spec["hyperparameters"]["micro_batch_size"] == 2


def test_what_changes_a_resumed_run_belongs_into_the_file_of_a_new_one(
    refused: Callable[..., str],
) -> None:
    assert "belong in the file" in refused("run.yaml", "--gradient-checkpointing")


@pytest.mark.long
def test_a_model_with_a_program_is_trained_when_exactly_that_is_allowed(
    folder: Path, refused: Callable[..., str]
) -> None:
    model = folder / "model"
    config = json.loads((model / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling_own.Own"}
    (model / "config.json").write_text(json.dumps(config))
    (model / "modeling_own.py").write_text("class Own:\n    pass\n")
    told = f"trusted_code_sha256: {code_sha256(model)}"
    said = refused("run.yaml")
    assert "Read modeling_own.py there" in said
    assert told in said
    (folder / "run.yaml").write_text(f"{RUN}{told}\n")
    code, said = _train(folder, "run.yaml", "--output", "out")
    assert code == 0, said
    spec = json.loads((folder / "out" / "spec.json").read_text())
    assert spec["model"]["trusted_code_sha256"] == code_sha256(model)
    shutil.rmtree(folder / "out")
    (model / "modeling_own.py").write_text("class Other:\n    pass\n")
    assert "not the code" in refused("run.yaml")
