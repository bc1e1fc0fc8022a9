"""The result is a folder that stock tools read, complete or absent."""

import json
from pathlib import Path

import pytest
import yaml

from training_engine import checkpoints, output
from training_engine.certificate import Certificate
from training_engine.contract.choices import Method
from training_engine.contract.names import RecordType
from training_engine.contract.spec import DatasetReference, ModelReference, RunSpec

VERSIONS = {"torch": "2.13.0"}


def spec(base: Path, **changes: object) -> RunSpec:
    values: dict[str, object] = {
        "run_id": "r1",
        "name": "run",
        "model": ModelReference(name="owner/base", path=str(base)),
        "dataset": DatasetReference(
            name='odd: "name"\n- x', path="/nowhere", sha256="ab", num_rows=3,
            record_type=RecordType.CONVERSATIONAL,
        ),
        "output_name": "bot",
    }  # fmt: skip
    return RunSpec.model_validate({**values, **changes})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def weights(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"1234")


def accept(folder: Path) -> Certificate:
    return Certificate("float32", VERSIONS, reason="this is a test")


def front_matter(folder: Path) -> dict[str, object]:
    _, head, _ = (folder / "README.md").read_text().split("---\n", 2)
    found: dict[str, object] = yaml.safe_load(head)
    return found


def test_is_complete_and_verifies(tmp_path: Path, base: Path) -> None:
    size = output.write(tmp_path, spec(base), weights, {"eval_loss": 1.25}, VERSIONS, accept)
    folder = tmp_path / "output"
    names = {p.name for p in folder.iterdir()}
    assert names == {
        "adapter_model.safetensors", "tokenizer.json", "chat_template.jinja", "README.md",
        "training_args.json", "certificate.json", "MANIFEST.json",
    }  # fmt: skip
    assert size == sum(p.stat().st_size for p in folder.iterdir())
    checkpoints.verify(folder)
    assert "/" not in json.loads((folder / "training_args.json").read_text())["dataset"]["name"]
    assert str(base) not in (folder / "training_args.json").read_text()


def test_the_card_reads_as_yaml_whatever_the_names(tmp_path: Path, base: Path) -> None:
    measured = {"eval_loss": 1.25, "best_step": 56.0}
    output.write(tmp_path, spec(base), weights, measured, VERSIONS, accept)
    assert "| best_step | 56 |" in (tmp_path / "output" / "README.md").read_text()
    head = front_matter(tmp_path / "output")
    assert head["library_name"] == "peft"
    assert head["base_model"] == "owner/base"
    assert head["base_model_relation"] == "adapter"
    assert "1.25" in json.dumps(head["model-index"])


def test_a_full_model_says_so(tmp_path: Path, base: Path) -> None:
    output.write(tmp_path, spec(base, method=Method.FULL), weights, {}, VERSIONS, accept)
    head = front_matter(tmp_path / "output")
    assert (head["library_name"], head["base_model_relation"]) == ("transformers", "finetune")


def test_a_packed_base_is_told_with_how_to_pack_it_again(tmp_path: Path, base: Path) -> None:
    wanted = spec(base, method=Method.QLORA, hyperparameters={"quantization": "int8"})
    output.write(tmp_path, wanted, weights, {}, VERSIONS, accept)
    assert front_matter(tmp_path / "output")["base_model_relation"] == "adapter"
    text = (tmp_path / "output" / "README.md").read_text()
    assert "packed to int8" in text
    assert "quantization_config.json" in text


@pytest.mark.parametrize(
    ("objective", "kind", "record_type"),
    [
        ("classify", "text-classification", RecordType.CLASSIFICATION),
        ("seq2seq", "text2text-generation", RecordType.CONVERSATIONAL),
        ("dpo", "text-generation", RecordType.PREFERENCE),
    ],
)
def test_the_card_names_the_pipeline(
    tmp_path: Path, base: Path, objective: str, kind: str, record_type: RecordType
) -> None:
    data = DatasetReference(
        name="d", path="/nowhere", sha256="ab", num_rows=3, record_type=record_type
    )
    wanted = spec(base, objective=objective, dataset=data)
    output.write(tmp_path, wanted, weights, {}, VERSIONS, accept)
    assert front_matter(tmp_path / "output")["pipeline_tag"] == kind


def test_the_template_that_was_chosen_is_the_one_that_ships(tmp_path: Path, base: Path) -> None:
    output.write(tmp_path, spec(base), weights, {}, VERSIONS, accept, "{{ 'mine' }}")
    assert (tmp_path / "output" / "chat_template.jinja").read_text() == "{{ 'mine' }}"


def test_a_failure_leaves_nothing(tmp_path: Path, base: Path) -> None:
    def failing(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        output.write(tmp_path, spec(base), failing, {}, VERSIONS, accept)
    assert not (tmp_path / "output").exists()
    assert not (tmp_path / ".output").exists()
