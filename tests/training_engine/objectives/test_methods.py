"""Objectives with other methods than LoRA: whole runs whose results stock parts load."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import run_here
from training_engine.contract.choices import Head, Objective, Quantization, head_of
from training_engine.contract.names import ExitCode
from training_engine.devices import Placement
from training_engine.models import load

CPU = Placement(torch.device("cpu"), torch.float32, "a test")
CASES: list[tuple[Objective, str, dict[str, Any]]] = [
    (Objective.CLASSIFY, "qlora", {"quantization": "nf4", "learning_rate": 1e-2}),
    (Objective.CLASSIFY, "lora", {"lora_variant": "dora", "learning_rate": 1e-2}),
    (Objective.CLASSIFY, "freeze", {"trainable_layers": 1, "learning_rate": 2e-3}),
    (Objective.CLASSIFY, "full", {"optimizer": "muon", "learning_rate": 2e-3}),
    (Objective.SEQ2SEQ, "qlora", {"quantization": "int8"}),
    (Objective.SEQ2SEQ, "lora", {"lora_variant": "pissa"}),
    (Objective.SEQ2SEQ, "freeze", {"trainable_layers": 1}),
    (Objective.REWARD, "lora", {"lora_variant": "pissa"}),
    (Objective.REWARD, "qlora", {"quantization": "int8", "lora_variant": "dora"}),
    (Objective.DPO, "qlora", {"quantization": "nf4"}),
    (Objective.DPO, "lora", {"lora_variant": "pissa"}),
    (Objective.KTO, "full", {"optimizer": "adafactor", "learning_rate": 1e-3}),
]


SHOWN = [
    case if i % 4 == 0 else pytest.param(*case, marks=pytest.mark.long)
    for i, case in enumerate(CASES)
]


def words(value: Any) -> str:
    """What a case is called."""
    return "-".join(map(str, value.values())) if isinstance(value, dict) else str(value)


@pytest.fixture
def model(objective: Objective, tiny_model: Path, tiny_t5: Path, tiny_bert: Path) -> Path:
    other = {Objective.SEQ2SEQ: tiny_t5, Objective.CLASSIFY: tiny_bert}
    return other.get(objective, tiny_model)


@pytest.mark.parametrize(("objective", "method", "knobs"), SHOWN, ids=words)
def test_it_learns_and_stock_parts_load_the_result(
    tmp_path: Path, objective: Objective, method: str, knobs: dict[str, Any], model: Path
) -> None:
    classes = objective is Objective.CLASSIFY  # a random encoder needs more to tell them apart
    data = write(tmp_path / "rows.jsonl", objective, 60 if classes else 24)
    given = {"learning_rate": 5e-3, "evaluation_fraction": 0.2, "lora_rank": 8}
    given["epochs"] = 12 if classes else 3
    outcome = run_here(
        tmp_path / "run", spec_for(objective, data, model, given | knobs, method=method)
    )
    assert outcome.code == ExitCode.FINISHED, outcome.last
    held_out = outcome.series("eval_loss")
    assert min(held_out.values()) < 0.95 * held_out[0]
    output, head = tmp_path / "run" / "output", head_of(objective)
    if method in ("lora", "qlora"):
        stock = on_the_base(model, output, head, knobs.get("quantization"))
    else:
        stock = load.load_stock(output, CPU, head, "sdpa")
    inputs = {"decoder_input_ids": torch.tensor([[0, 5]])} if head is Head.SEQ2SEQ_LM else {}
    with torch.no_grad():
        assert stock.eval()(input_ids=torch.arange(5, 25)[None], **inputs).logits.isfinite().all()


def on_the_base(base: Path, adapter: Path, head: Head, packed: str | None) -> Any:
    """The adapter by stock PEFT, its head with as many labels as it was trained with."""
    from peft import PeftModel

    options: dict[str, Any] = {}
    if head is Head.SEQUENCE_CLASSIFICATION:
        options["num_labels"] = len(json.loads((adapter / "config.json").read_text())["id2label"])
    plain = load.auto_class(head).from_pretrained(base, **options)
    found = PeftModel.from_pretrained(plain, adapter)
    assert (adapter / "quantization_config.json").is_file() is (packed in list(Quantization))
    return found
