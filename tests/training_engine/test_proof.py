"""A run is finished only when its result was read back and is what was trained."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.tiny_model import build_tiny_tokenizer
from tests.training_engine.specs import Outcome, greetings, make_spec, run_here, write_rows
from training_engine import build, certificate
from training_engine.answers import Answers
from training_engine.contract.names import ExitCode

ADAPTER, MODEL = "adapter_model.safetensors", "model.safetensors"
DOWN = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
NORM = "model.layers.0.input_layernorm.weight"
TINY = {"max_steps": 1, "evaluation_fraction": 0}
Damage = Callable[[Path], None]


def run_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path, method: str, damage: Damage
) -> Outcome:
    """A run whose weights are damaged right after they were written."""
    write = build.write_weights

    def write_and_damage(folder: Path, run: Any) -> None:
        write(folder, run)
        damage(folder)

    monkeypatch.setattr(build, "write_weights", write_and_damage)
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    return run_here(tmp_path / "run", make_spec(data, model, method=method, hyperparameters=TINY))


def lose(file: str, name: str) -> Damage:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / file)
        del tensors[name]
        save_file(tensors, folder / file, metadata={"format": "pt"})

    return damage


def change(file: str, name: str) -> Damage:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / file)
        tensors[name].view(-1)[0] += 0.5
        save_file(tensors, folder / file, metadata={"format": "pt"})

    return damage


def narrow(file: str, name: str) -> Damage:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / file)
        tensors[name] = tensors[name].to(torch.bfloat16)
        save_file(tensors, folder / file, metadata={"format": "pt"})

    return damage


def cut(file: str) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[:-10])

    return damage


def empty(file: str) -> Damage:
    return lambda folder: (folder / file).unlink()


def other_rank(folder: Path) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"r": 1}))


def other_ids(folder: Path) -> None:
    """A tokenizer that has the same words in another order; a file that is there is kept."""
    build_tiny_tokenizer(folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["H"], vocabulary["e"] = vocabulary["e"], vocabulary["H"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def other_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")


@pytest.mark.parametrize(
    ("method", "damage", "named"),
    [
        ("lora", lose(ADAPTER, DOWN), DOWN),
        ("lora", change(ADAPTER, DOWN), DOWN),
        ("lora", narrow(ADAPTER, DOWN), DOWN),
        ("lora", cut(ADAPTER), ADAPTER),
        ("lora", empty(ADAPTER), "has no safetensors weights"),
        ("lora", empty("adapter_config.json"), "adapter_config.json"),
        ("lora", other_rank, "another r than"),
        ("lora", other_ids, "tokenizer"),
        ("lora", other_template, "chat template"),
        ("full", lose(MODEL, NORM), NORM),
        ("full", change(MODEL, NORM), NORM),
        ("full", cut(MODEL), MODEL),
        ("full", empty("config.json"), "config.json"),
    ],
)
def test_a_broken_result_is_no_result(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tiny_model: Path,
    method: str,
    damage: Damage,
    named: str,
) -> None:
    outcome = run_with(monkeypatch, tmp_path, tiny_model, method, damage)
    assert outcome.code == ExitCode.FAILED
    assert (outcome.last.type, outcome.last.code) == ("failed", "checkpoint_corrupt")
    assert named in outcome.last.message
    assert not (outcome.run_dir / "output").exists()
    assert not (outcome.run_dir / ".output").exists()
    assert list((outcome.run_dir / "checkpoints").iterdir())


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_sound_result_is_one(
    tmp_path: Path, tiny_model: Path, method: str, precision: str
) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    own = "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"
    spec = make_spec(
        data, tiny_model, method=method, precision=precision, hyperparameters=TINY,
        chat_template=own,
    )  # fmt: skip
    assert run_here(tmp_path / "run", spec).last.type == "finished"


@pytest.mark.parametrize(("off", "passed"), [(0.02, True), (0.12, True), (0.5, False)])
def test_scores_may_be_as_far_off_as_rounding_makes_the_result(off: float, passed: bool) -> None:
    exact, noise = (torch.randn(24, 3, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    start = certificate.Certificate("bfloat16", {}, passed=False)
    trained, rounded, truth = (
        Answers([exact + share * noise * exact.norm() / noise.norm()]) for share in (off, 0.1, 0.0)
    )
    found = certificate._as_rounded(start, trained, rounded, truth)
    assert found.passed is passed
    assert found.relative_error == pytest.approx(off, rel=1e-3)
    assert found.tolerance == pytest.approx(0.2, rel=1e-3)
