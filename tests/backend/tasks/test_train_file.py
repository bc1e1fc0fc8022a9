"""The run file: every error at once, each with its line."""

from pathlib import Path

import pytest

from backend.settings import PROJECT_ROOT
from backend.tasks import train_file
from backend.tasks.local_inputs import BadInput, import_data
from backend.tasks.train_file import BadTrainFile, DataFile
from training_engine.contract.choices import Method, Objective, Precision

GOOD = """\
name: Support bot
dataset: chats.jsonl
method: full
hyperparameters:
  epochs: 2
output_name: support-bot
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chats.jsonl").write_text("{}\n")
    return tmp_path


def _errors(folder: Path, text: str | bytes) -> list[str]:
    file = folder / "run.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(BadTrainFile) as bad:
        train_file.read(file)
    return [error.removeprefix(f"{file}:") for error in bad.value.errors]


def test_a_good_file(folder: Path) -> None:
    (folder / "run.yaml").write_text(GOOD)
    found = train_file.read(folder / "run.yaml")
    assert found.dataset.path == folder / "chats.jsonl"
    assert (found.model, found.method, found.hyperparameters.epochs) == ("starter", Method.FULL, 2)


def test_all_errors_at_once_each_with_its_line(folder: Path) -> None:
    errors = _errors(
        folder,
        """\
name: Support bot
modle: starter
dataset:
  path: missing.jsonl
hyperparameters:
  epochs: -1
  batch_size: 4
  micro_batch_size: many
method: lorra
""",
    )
    places = [error.split(":")[:2] for error in errors]
    assert places == [
        ["1", " output_name"],
        ["2", " modle"],
        ["4", " dataset.path"],
        ["6", " hyperparameters.epochs"],
        ["8", " hyperparameters.micro_batch_size"],
        ["9", " method"],
    ]
    assert "there is no file" in errors[2]
    assert "there is no such field" in errors[1]


def test_how_it_computes_and_writes_conversations(folder: Path) -> None:
    template = (
        "chat_template: |\n  {% for message in messages %}{{ message.content }}{% endfor %}\n"
    )
    (folder / "run.yaml").write_text(f"{GOOD}precision: float32\ndeterministic: true\n{template}")
    found = train_file.read(folder / "run.yaml")
    assert (found.precision, found.deterministic) == (Precision.FLOAT32, True)
    assert found.wish.brings_template
    [error] = _errors(folder, f"{GOOD}chat_template: '{{% for'\n")
    assert error.startswith("7: chat_template: this is not a template that can be read: line 1")


def test_a_key_that_stands_twice(folder: Path) -> None:
    errors = _errors(folder, GOOD + "name: Another\n")
    assert errors == ["7: name: stands twice"]


def test_what_spans_fields(folder: Path) -> None:
    text = GOOD.replace("  epochs: 2\n", "  batch_size: 2\n  micro_batch_size: 4\n")
    assert _errors(folder, text) == [
        "6: hyperparameters.micro_batch_size: micro_batch_size must not exceed batch_size"
    ]


def test_what_can_not_go_together_is_all_told(folder: Path) -> None:
    text = GOOD.replace("full", "qlora").replace("  epochs: 2\n", "  optimizer: muon\n")
    errors = _errors(folder, text + "distributed:\n  strategy: fsdp\n  processes: 2\n")
    assert [error.split(": ")[:2] for error in errors] == [
        ["5", "hyperparameters.optimizer"],
        ["5", "hyperparameters.optimizer"],
        ["8", "distributed.strategy"],
    ]


def test_what_can_not_go_together_is_told_beside_wrong_fields(folder: Path) -> None:
    text = GOOD.replace("full", "qlora").replace(
        "  epochs: 2\n", "  epochs: -2\n  optimizer: muon\n  batch_size: 2\n  micro_batch_size: 4\n"
    )
    errors = _errors(folder, text + "distributed:\n  processes: 3\ncolour: red\n")
    assert [error.split(": ")[:2] for error in errors] == [
        ["5", "hyperparameters.epochs"],
        ["6", "hyperparameters.optimizer"],
        ["8", "hyperparameters.micro_batch_size"],
        ["11", "distributed.processes"],
        ["12", "colour"],
    ]


def test_a_home_that_nobody_has(folder: Path) -> None:
    (error,) = _errors(folder, GOOD.replace("chats.jsonl", "~nobody-of-this-name/chats.jsonl"))
    assert error.startswith("2: dataset: there is no home folder for ~nobody-of-this-name")


def test_names_of_other_trainers_do_not_hide_wrong_values(folder: Path) -> None:
    text = GOOD.replace("  epochs: 2\n", "  lr: 0.1\n  epochs: -2\n  r: 8\n")
    errors = _errors(folder, text)
    assert [error.split(": ")[:2] for error in errors] == [
        ["5", "hyperparameters.lr"],
        ["6", "hyperparameters.epochs"],
        ["7", "hyperparameters.r"],
    ]
    assert "did you mean “lora_rank”" in errors[2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1,\n", "not YAML"),
        ("- a list\n", "mapping"),
        ("", "mapping"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("!!python/object/apply:os.system ['true']\n", "YAML"),
        ("x" * (train_file.MAX_BYTES + 1), "larger"),
    ],
)
def test_what_is_no_run_file(folder: Path, text: str | bytes, told: str) -> None:
    (error,) = _errors(folder, text)
    assert told in error


@pytest.mark.parametrize(
    "file", sorted((PROJECT_ROOT / "examples").glob("*.yaml")), ids=lambda file: file.stem
)
def test_the_examples_can_be_read_and_their_data_fits(file: Path, tmp_path: Path) -> None:
    asked = train_file.read(file)
    data = import_data(asked.dataset, tmp_path / "data", asked.objective)
    assert data.num_rows >= 60
    assert asked.output_name == file.stem


def test_there_are_examples() -> None:
    assert len(list((PROJECT_ROOT / "examples").glob("*.yaml"))) >= 4


def test_rows_of_a_version(folder: Path) -> None:
    """What of the names of a version goes together."""
    named = GOOD.replace("dataset: chats.jsonl", "dataset: {{path: chats.jsonl, {more}}}")
    sha256 = "a" * 64
    good = named.format(more=f"record_type: conversational, split: a, version: 2, sha256: {sha256}")
    (folder / "run.yaml").write_text(good)
    assert train_file.read(folder / "run.yaml").dataset.split == "a"
    mapping = "mapping: {record_type: language_modeling, columns: {text: a}}"
    for more, words in (
        (f"record_type: conversational, {mapping}", "leave the mapping out"),
        ("split: a", "say its record_type"),
        ("version: 0", "greater than or equal to 1"),
        ("sha256: abc", "should match"),
        ("record_type: prose", "Input should be"),
    ):
        (error,) = _errors(folder, named.format(more=more))
        assert error.startswith("2: dataset")
        assert words in error


def test_an_export_is_taken_as_it_is(folder: Path) -> None:
    line = '{"messages":[{"role":"user","content":"Q"}],"label":[1.0],"meta":{"line":7}}\n'
    (folder / "chats.jsonl").write_text(line * 3)
    file = DataFile.model_validate({"path": folder / "chats.jsonl", "record_type": "preference"})
    found = import_data(file, folder / "data", Objective.DPO)
    assert (found.num_rows, found.record_type) == (3, "preference")
    assert Path(found.path).read_text() == line * 3
    with pytest.raises(BadInput, match="classify needs classification"):
        import_data(file, folder / "no", Objective.CLASSIFY)
    (folder / "chats.jsonl").write_bytes(b"PAR1\x00")
    with pytest.raises(BadInput, match="no export of a version"):
        import_data(file, folder / "binary", Objective.DPO)
    (folder / "chats.jsonl").write_text("\n")
    with pytest.raises(BadInput, match="no row"):
        import_data(file, folder / "empty", Objective.DPO)
