"""Classifiers, reward models and encoder–decoders as runs leave them, on tiny models."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tiny_model import build_tiny_model
from tests.training_engine.objectives.models import build_tiny_bert, build_tiny_t5
from tests.training_engine.objectives.rows import record, spec_for, write_records
from tests.training_engine.specs import Outcome, run_here
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec


def build_encoder(folder: Path) -> Path:
    """As sentence encoders are published: without a head, and without a chat template."""
    (build_tiny_bert(folder) / "chat_template.jinja").unlink()
    return folder


BASES = {
    "encoder": build_encoder,
    "bert": build_tiny_bert,
    "llama": build_tiny_model,
    "t5": build_tiny_t5,
}
KNOBS: dict[str, Any] = {
    "epochs": 2, "learning_rate": 5e-3, "evaluation_fraction": 0.2, "evaluation_steps": 10,
    "lora_rank": 4, "max_length": 64,
}  # fmt: skip
COUNT = 24


@dataclass(frozen=True)
class Tuned:
    """A finished run: its model folder, the adapter beside it, and what it was made of."""

    model: Path
    adapter: Path | None
    spec: RunSpec
    outcome: Outcome

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The records that were trained on."""
        return [json.loads(line) for line in Path(self.spec.dataset.path).read_text().splitlines()]

    @property
    def paths(self) -> dict[str, str]:
        """As requests name it."""
        found = {"model_path": str(self.model)}
        return found if self.adapter is None else found | {"adapter_path": str(self.adapter)}


def labelled(kind: str, i: int) -> dict[str, Any]:
    """The i-th labelled text: one class, several, or a number."""
    row = record(Objective.CLASSIFY, i)
    if kind == "multi_label":
        return row | {"label": [row["label"], "even"] if i % 2 == 0 else [row["label"]]}
    if kind == "regression":
        return row | {"label": i % 3 + 0.5}
    return row


def tune(folder: Path, base: str, objective: Objective, kind: str = "", **fields: Any) -> Tuned:
    """Train on a few rows and check that it finished."""
    folder.mkdir(parents=True, exist_ok=True)
    model = BASES[base](folder / "base")
    make = (lambda i: labelled(kind, i)) if kind else (lambda i: record(objective, i))
    data = write_records(folder / "rows.jsonl", [make(i) for i in range(COUNT)])
    knobs = KNOBS | fields.pop("knobs", {})
    spec = spec_for(objective, data, model, knobs, **fields)
    outcome = run_here(folder / "run", spec)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    output = folder / "run" / "output"
    adapted = (output / "adapter_config.json").is_file()
    return Tuned(model if adapted else output, output if adapted else None, spec, outcome)
