"""Whole runs of every method, variant and optimizer: proved results that stock parts load."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.specs import (
    Outcome,
    StopAfter,
    greetings,
    make_spec,
    run_here,
    write_rows,
)
from training_engine.contract.names import ExitCode

STEPS = {"max_steps": 4, "evaluation_fraction": 0.1}
QUICK: list[tuple[str, dict[str, Any]]] = [
    ("lora", {"lora_variant": "dora"}),
    ("qlora", {"quantization": "nf4", "lora_variant": "pissa"}),
    ("freeze", {"optimizer": "muon", "trainable_layers": 1}),
    ("lora", {"optimizer": "adamw_8bit"}),
]
OTHERS: list[tuple[str, dict[str, Any]]] = [
    *(("lora", {"lora_variant": v}) for v in ("lora", "rslora", "lora_plus", "pissa")),
    ("qlora", {"quantization": "nf4"}),
    ("qlora", {"quantization": "int8"}),
    ("qlora", {"quantization": "nf4", "lora_variant": "dora"}),
    ("freeze", {"trainable_layers": 1}),
    ("full", {}),
    ("lora", {"optimizer": "adafactor"}),
    ("full", {"optimizer": "muon", "learning_rate": 1e-3}),
]
METHODS = [*QUICK, *(pytest.param(*each, marks=pytest.mark.long) for each in OTHERS)]


def words(value: Any) -> str:
    """What a case is called."""
    return value if isinstance(value, str) else "-".join(map(str, value.values()))


EACH = pytest.mark.parametrize(("method", "knobs"), METHODS, ids=words)


def run(folder: Path, model: Path, method: str, knobs: dict[str, Any], **options: Any) -> Outcome:
    data = write_rows(folder.parent / "data.jsonl", greetings(30))
    stop = options.pop("stop", None)
    spec = make_spec(data, model, method=method, hyperparameters={**STEPS, **knobs}, **options)
    return run_here(folder, spec, stop)


@EACH
def test_it_learns_and_stock_parts_load_the_result(
    tmp_path: Path, tiny_model: Path, method: str, knobs: dict[str, Any]
) -> None:
    outcome = run(tmp_path / "run", tiny_model, method, knobs)
    assert outcome.last.type == "finished", outcome.last
    held_out = outcome.series("eval_loss")  # batches differ, held-out rows do not
    assert held_out[max(held_out)] < held_out[0]
    output = tmp_path / "run" / "output"
    stock = loaded(tiny_model, output, method)
    base = loaded(tiny_model, None, method)
    ids = torch.arange(1, 60)[None]
    with torch.no_grad():
        assert (stock(ids).logits - base(ids).logits).abs().max() > 1e-4


def loaded(base: Path, output: Path | None, method: str) -> Any:
    """The result by stock transformers and PEFT."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    adapter = method in ("lora", "qlora")
    model = AutoModelForCausalLM.from_pretrained(base if adapter or output is None else output)
    if adapter and output is not None:
        return PeftModel.from_pretrained(model, output).eval()
    return model.eval()


@EACH
def test_resumed_it_is_the_run_that_never_stopped(
    tmp_path: Path, tiny_model: Path, method: str, knobs: dict[str, Any]
) -> None:
    whole = run(tmp_path / "whole", tiny_model, method, knobs)
    first = tmp_path / "first"
    stopped = run(first, tiny_model, method, knobs, stop=StopAfter(first, 2))
    assert stopped.code == ExitCode.STOPPED
    again = run(
        tmp_path / "again", tiny_model, method, knobs, attempt=2,
        resume_from=str(first / "checkpoints"),
    )  # fmt: skip
    assert again.last.type == "finished", again.last
    for step, loss in again.series("loss").items():
        assert loss == whole.series("loss")[step]
    for path in sorted((tmp_path / "whole" / "output").glob("*.safetensors")):
        mine = load_file(tmp_path / "again" / "output" / path.name)
        for name, value in load_file(path).items():
            assert torch.equal(mine[name], value), name


def test_frozen_layers_are_the_bases_own(tmp_path: Path, tiny_model: Path) -> None:
    run(tmp_path / "run", tiny_model, "freeze", {"trainable_layers": 1})
    before = load_file(tiny_model / "model.safetensors")
    after = load_file(tmp_path / "run" / "output" / "model.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith(("model.layers.1.", "model.norm.")) for name in changed)
    assert "model.layers.1.mlp.down_proj.weight" in changed
