"""Exports of runs on tiny models: what is written is loaded again by others and compared."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training_engine.running import events, finish, log_lines, start_host
from tests.training_engine.specs import greetings, make_spec, run_here, write_rows
from training_engine import checkpoints
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.exports import ExportFormat, ExportReport, ExportSpec
from training_engine.contract.names import STOP_COMMAND, ExitCode, FailureCode
from training_engine.contract.spec import ModelReference
from training_engine.control import StopRequests
from training_engine.events import Reporter
from training_engine.export import check, export
from training_engine.failures import explain
from training_engine.train import fail

CHILD = "training_engine.export.export"
GGUF = [f for f in ExportFormat if f is not ExportFormat.MERGED]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run with an adapter and one of the whole model, on the same tiny base."""
    from tests.tiny_model import build_tiny_model

    place = tmp_path_factory.mktemp("tuned")
    base = build_tiny_model(place / "base")
    data = write_rows(place / "rows.jsonl", greetings(24))
    found = {"base": base}
    for method in ("lora", "full"):
        spec = make_spec(data, base, method=method, hyperparameters={"epochs": 4})
        outcome = run_here(place / method, spec)
        assert outcome.code is ExitCode.FINISHED, outcome.last
        found[method] = place / method / "output"
    return found


def spec_of(tuned: dict[str, Path], method: str, format: ExportFormat, **values: Any) -> ExportSpec:
    base = {"name": "example/tiny", "path": str(tuned["base"])}
    return ExportSpec(
        run_id="e",
        name="tiny-greetings",
        source=str(tuned[method]),
        base=ModelReference.model_validate(base) if method == "lora" else None,
        format=format,
        **values,
    )


def export_here(run_dir: Path, spec: ExportSpec, stop: StopRequests | None = None) -> Any:
    """Run it in this process, failures as the child tells them; returns the last event."""
    run_dir.mkdir()
    with EventWriter(run_dir) as writer:
        reporter = Reporter(writer)
        try:
            export.run(run_dir, spec, reporter, stop or StopRequests(run_dir))
        except Exception as error:  # noqa: BLE001 - as the child does
            fail(reporter, explain(error))
    return events(run_dir)[-1]


def scores(model: Any, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(torch.tensor([ids])).logits[0]
    return found


def stock(tuned: dict[str, Path], method: str) -> Any:
    """The trained model as stock PEFT and transformers load it."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    if method == "full":
        return AutoModelForCausalLM.from_pretrained(tuned["full"])
    return PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tuned["base"]), tuned["lora"]
    )


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_merged_model_in_shards_computes_what_stock_peft_does(
    tuned: dict[str, Path], tmp_path: Path, method: str
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    spec = spec_of(tuned, method, ExportFormat.MERGED, max_shard_bytes=100_000)
    last = export_here(tmp_path / "export", spec)
    assert last.type == "finished", last
    folder = tmp_path / "export" / "output"
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) > 2
    assert all(file.stat().st_size < 110_000 for file in shards)
    ids = AutoTokenizer.from_pretrained(folder)("Hello, I am Ada 0.")["input_ids"]
    plain = AutoModelForCausalLM.from_pretrained(folder)
    torch.testing.assert_close(
        scores(plain, ids), scores(stock(tuned, method), ids), rtol=1e-4, atol=1e-5
    )
    report = ExportReport.model_validate_json((folder / "export.json").read_bytes())
    named = {file.name: file for file in report.files}
    assert {file.name for file in shards} <= named.keys()
    assert all(checkpoints.file_sha256(folder / n) == f.sha256 for n, f in named.items())
    assert last.output_bytes == sum(file.size_bytes for file in report.files)
    assert report.checks.top1_agreement == 1
    assert not list((tmp_path / "export").glob(".[a-z]*"))


@pytest.mark.long
@pytest.mark.parametrize("format", GGUF)
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_gguf_file_is_read_back_by_transformers(
    tuned: dict[str, Path], tmp_path: Path, method: str, format: ExportFormat
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    last = export_here(tmp_path / "export", spec_of(tuned, method, format))
    assert last.type == "finished", last
    folder = tmp_path / "export" / "output"
    (file,) = folder.glob("*.gguf")
    assert file.name == f"tiny-greetings-{format.value.removeprefix('gguf_').upper()}.gguf"
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=file.name, quantization_config=GgufConfig(dequantize=True)
    )
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file.name)
    turns = [{"role": "user", "content": "I am Ada 0."}]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    own = AutoTokenizer.from_pretrained(tuned[method])
    ids = own.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
    assert tokenizer(text, add_special_tokens=False)["input_ids"] == ids
    wanted, found = scores(stock(tuned, method), ids), scores(model, ids)
    wanted, found = wanted - wanted.mean(-1, keepdim=True), found - found.mean(-1, keepdim=True)
    error = float((found - wanted).norm() / wanted.norm())
    assert error < check.LIMITS[format][0] / 2
    assert abs(last.metrics["relative_error"] - error) < 0.1
    assert last.metrics["weight_error"] < {"gguf_f16": 4e-4, "gguf_q8_0": 0.01}.get(format, 0.1)


def test_the_prompts_of_the_check_are_held_out_rows(tuned: dict[str, Path]) -> None:
    from training_engine.export.source import held_out_prompts

    told = [e for e in events(tuned["lora"].parent) if e.type == "samples"]
    prompts = held_out_prompts(tuned["lora"])
    assert 0 < len(prompts) <= 3
    assert set(prompts) <= {item.prompt for event in told for item in event.items}


def test_damaged_weights_leave_nothing(
    tuned: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another permutation of the heads than llama.cpp's is found by the check."""
    from training_engine.export import gguf_file

    monkeypatch.setattr(gguf_file, "_as_stored", lambda name, values, config: values)
    last = export_here(tmp_path / "export", spec_of(tuned, "lora", ExportFormat.GGUF_F16))
    assert (last.type, last.code) == ("failed", FailureCode.CHECKPOINT_CORRUPT)
    assert "does not compute what was trained" in last.message
    left = {path.name for path in (tmp_path / "export").iterdir()}
    assert left == {"events.jsonl"}


def with_two_templates(folder: Path, target: Path) -> Path:
    """A result whose configuration holds another template than the file that counts."""
    import shutil

    shutil.copytree(folder, target)
    path = target / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "chat_template": "{{ messages[0]['content'] }}"}))
    return target


def test_the_template_in_the_file_is_the_one_that_was_trained_with(
    tuned: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training_engine.export import gguf_vocabulary

    result = with_two_templates(tuned["full"], tmp_path / "result")
    (result / "additional_chat_templates").mkdir()
    (result / "additional_chat_templates" / "tool-use.jinja").write_text("{{ tools }}")
    spec = spec_of({**tuned, "full": result}, "full", ExportFormat.GGUF_F16)
    last = export_here(tmp_path / "export", spec)
    assert last.type == "finished", last
    (file,) = (tmp_path / "export" / "output").glob("*.gguf")
    wanted = (tuned["full"] / "chat_template.jinja").read_text()
    found = gguf_vocabulary.templates_in(file)
    assert found == {"default": wanted, "tool_use": "{{ tools }}"}
    monkeypatch.setattr(gguf_vocabulary, "templates_of", lambda _: {"default": "{{ bos_token }}"})
    last = export_here(tmp_path / "again", spec)
    assert (last.type, last.code) == ("failed", FailureCode.BAD_SPEC)
    assert "its chat template, read back from the file, is not the one" in last.message
    assert {path.name for path in (tmp_path / "again").iterdir()} == {"events.jsonl"}


def test_a_merged_model_holds_only_the_template_that_counts(
    tuned: dict[str, Path], tmp_path: Path
) -> None:
    result = with_two_templates(tuned["full"], tmp_path / "result")
    spec = spec_of({**tuned, "full": result}, "full", ExportFormat.MERGED)
    assert export_here(tmp_path / "export", spec).type == "finished"
    folder = tmp_path / "export" / "output"
    assert "chat_template" not in json.loads((folder / "tokenizer_config.json").read_text())
    wanted = (tuned["full"] / "chat_template.jinja").read_text()
    assert (folder / "chat_template.jinja").read_text() == wanted


def test_a_full_disk_is_told_before_anything_is_written(
    tuned: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    last = export_here(tmp_path / "export", spec_of(tuned, "full", ExportFormat.MERGED))
    assert (last.type, last.code) == ("failed", FailureCode.DISK_FULL)
    assert "MB of free space" in last.message
    assert {path.name for path in (tmp_path / "export").iterdir()} == {"events.jsonl"}


def test_a_stop_leaves_nothing(tuned: dict[str, Path], tmp_path: Path) -> None:
    control = tmp_path / "asked" / "control"
    control.mkdir(parents=True)
    (control / STOP_COMMAND).touch()
    stop = StopRequests(tmp_path / "asked")
    last = export_here(tmp_path / "export", spec_of(tuned, "lora", ExportFormat.GGUF_F16), stop)
    assert last.type == "stopped"
    assert {path.name for path in (tmp_path / "export").iterdir()} == {"events.jsonl"}


def test_families_that_gguf_does_not_know_are_refused_by_name(
    tuned: dict[str, Path], tmp_path: Path
) -> None:
    import shutil

    other = tmp_path / "phi3"
    shutil.copytree(tuned["full"], other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "phi3"}))
    last = export_here(
        tmp_path / "export", spec_of({**tuned, "full": other}, "full", ExportFormat.GGUF_Q8_0)
    )
    assert (last.type, last.code) == ("failed", FailureCode.BAD_SPEC)
    assert "family phi3" in last.message
    assert last.params["family"] == "phi3"


def test_an_adapter_without_its_base_is_refused(tuned: dict[str, Path], tmp_path: Path) -> None:
    spec = spec_of(tuned, "lora", ExportFormat.MERGED).model_copy(update={"base": None})
    last = export_here(tmp_path / "export", spec)
    assert (last.type, last.code) == ("failed", FailureCode.BAD_SPEC)
    assert "base model" in last.message


@pytest.mark.long
def test_under_the_run_host(tuned: dict[str, Path], tmp_path: Path) -> None:
    spec = spec_of(tuned, "lora", ExportFormat.GGUF_Q8_0)
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    finish(start_host(tmp_path, child=CHILD), 300)
    told = events(tmp_path)
    assert [told[0].type, told[-1].type] == ["started", "finished"]
    fractions = [e.fraction or 0.0 for e in told if e.type == "progress"]
    assert fractions == sorted(fractions)
    assert "checked with" in log_lines(tmp_path)[-1].text


def test_a_wrong_spec_names_the_field(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps({"run_id": "e", "format": "gguf_q2"}))
    assert export.main([str(tmp_path)]) == ExitCode.SPEC_REFUSED
    last: Any = events(tmp_path)[-1]
    assert last.code == FailureCode.BAD_SPEC
    assert "not valid at" in last.message
