"""A finished run's result was loaded again from its files and computes what was trained."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import Outcome, run_here
from training_engine import build, certificate, proof
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode

KNOBS = {"max_steps": 4, "learning_rate": 0.02, "evaluation_fraction": 0.2, "lora_rank": 4}
CASES = [
    (Objective.SFT, "llama", "lora", "float32"),
    (Objective.SFT, "llama", "lora", "bfloat16"),
    (Objective.SFT, "llama", "full", "float32"),
    (Objective.PRETRAIN, "llama", "full", "bfloat16"),
    (Objective.DPO, "llama", "lora", "float32"),
    (Objective.KTO, "llama", "lora", "float32"),
    (Objective.CLASSIFY, "llama", "lora", "float32"),
    (Objective.CLASSIFY, "bert", "lora", "bfloat16"),
    (Objective.REWARD, "bert", "full", "float32"),
    (Objective.SEQ2SEQ, "t5", "lora", "float32"),
    (Objective.SEQ2SEQ, "t5", "full", "bfloat16"),
]


@pytest.fixture
def model(kind: str, tiny_model: Path, tiny_bert: Path, tiny_t5: Path) -> Path:
    return {"llama": tiny_model, "bert": tiny_bert, "t5": tiny_t5}[kind]


def run_of(
    tmp_path: Path, objective: Objective, model: Path, knobs: dict[str, Any] = KNOBS, **fields: Any
) -> Outcome:
    data = write(tmp_path / "rows.jsonl", objective, 20)
    return run_here(tmp_path / "run", spec_for(objective, data, model, knobs, **fields))


@pytest.mark.long
@pytest.mark.parametrize(("objective", "kind", "method", "precision"), CASES)
def test_a_sound_result_has_one(
    tmp_path: Path, objective: Objective, kind: str, method: str, precision: str, model: Path
) -> None:
    outcome = run_of(tmp_path, objective, model, method=method, precision=precision)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    output = outcome.run_dir / "output"
    found = json.loads((output / "certificate.json").read_text())
    scored = objective in (Objective.CLASSIFY, Objective.REWARD)
    samples = 20 if scored else 3  # all that there are; more are looked at where each tells little
    assert (found["passed"], found["ids_equal"], found["samples"]) == (True, True, samples)
    assert found["relative_error"] <= found["tolerance"]
    assert found["tolerance"] == (1e-3 if precision == "float32" else certificate.SHORT_TYPES)
    print(
        objective, kind, method, precision, found["relative_error"], found["max_logit_difference"]
    )
    assert found["greedy_equal"] is (None if scored else True)
    assert found["dtype"] == precision
    assert found["versions"]["torch"] == torch.__version__
    assert f"{samples} samples gave the same token ids" in (output / "README.md").read_text()
    assert "certificate.json" in (output / "MANIFEST.json").read_text()


@pytest.mark.long
@pytest.mark.parametrize("variant", ["rslora", "dora", "pissa"])
@pytest.mark.parametrize("kind", ["llama"])
def test_every_variant_of_lora(tmp_path: Path, variant: str, model: Path) -> None:
    outcome = run_of(tmp_path, Objective.SFT, model, {**KNOBS, "lora_variant": variant})
    found = json.loads((outcome.run_dir / "output" / "certificate.json").read_text())
    assert (found["passed"], found["greedy_equal"]) == (True, True)


@pytest.mark.parametrize("kind", ["llama"])
def test_without_held_out_rows_training_rows_do(tmp_path: Path, model: Path) -> None:
    outcome = run_of(tmp_path, Objective.SFT, model, {**KNOBS, "evaluation_fraction": 0})
    found = json.loads((outcome.run_dir / "output" / "certificate.json").read_text())
    assert (found["passed"], found["samples"]) == (True, 3)


def scaled(folder: Path) -> None:
    """An adapter of another strength."""
    config = json.loads((folder / "adapter_config.json").read_text())
    config["lora_alpha"] *= 3
    (folder / "adapter_config.json").write_text(json.dumps(config))


def tampered(folder: Path) -> None:
    file = next(folder.glob("*.safetensors"))
    tensors = load_file(file)
    tensors = {name: value * 1.5 for name, value in tensors.items()}
    save_file(tensors, file, metadata={"format": "pt"})


def not_finite(folder: Path) -> None:
    file = next(folder.glob("*.safetensors"))
    tensors = load_file(file)
    next(iter(tensors.values())).view(-1)[:] = float("inf")
    save_file(tensors, file, metadata={"format": "pt"})


def other_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}<|im_end|>")


@pytest.mark.parametrize(
    ("method", "damage", "cause"),
    [
        ("lora", scaled, "merge"),
        ("lora", tampered, "merge"),
        ("full", tampered, "weights"),
        ("lora", not_finite, "dtype"),
        ("lora", other_template, "template"),
    ],
)
@pytest.mark.parametrize("kind", ["llama"])
def test_a_result_that_computes_something_else_is_none(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    model: Path,
    method: str,
    damage: Any,
    cause: str,
) -> None:
    """Also where nobody had compared the bytes."""
    write_weights = build.write_weights

    def write_and_damage(folder: Path, run: Any) -> None:
        write_weights(folder, run)
        damage(folder)

    monkeypatch.setattr(build, "write_weights", write_and_damage)
    for name in ("_prove_adapter", "_prove_model", "_prove_tokenizer"):
        monkeypatch.setattr(proof, name, lambda *_: None)
    outcome = run_of(tmp_path, Objective.SFT, model, method=method)
    assert outcome.code == ExitCode.FAILED
    assert (outcome.last.code, outcome.last.params["cause"]) == ("checkpoint_corrupt", cause)
    assert "does not compute what was trained" in outcome.last.message
    assert not (outcome.run_dir / "output").exists()


@pytest.mark.parametrize("kind", ["llama"])
def test_a_model_that_does_not_fit_twice_is_not_loaded_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path
) -> None:
    monkeypatch.setattr(certificate, "_fits", lambda *_: False)
    outcome = run_of(tmp_path, Objective.SFT, model)
    assert outcome.code == ExitCode.FINISHED
    output = outcome.run_dir / "output"
    found = json.loads((output / "certificate.json").read_text())
    assert found["passed"] is None
    assert "does not fit into the memory" in found["reason"]
    assert "It was not loaded again" in (output / "README.md").read_text()


def test_nearly_equal_tokens_may_change_places() -> None:
    wanted = torch.tensor([[1.0, 1.05, 0.0], [0.0, 3.0, 1.0]])
    turned = torch.tensor([[1.05, 1.0, 0.0], [0.0, 3.0, 1.0]])
    assert certificate._same_tokens(wanted, turned, 0.1)
    assert not certificate._same_tokens(wanted, turned, 0.01)
    assert not certificate._same_tokens(wanted, turned.flip(-1), 0.1)
