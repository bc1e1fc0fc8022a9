"""Small data sets of every kind of record, and runs of every objective over them."""

import json
from pathlib import Path
from typing import Any

from tests.training_engine.specs import NAMES, conversation, make_spec
from training_engine.contract.choices import Objective
from training_engine.contract.spec import RunSpec

COLOURS = ("red", "green", "blue")
RECORD_TYPES = {
    Objective.SFT: "conversational",
    Objective.PRETRAIN: "language_modeling",
    Objective.CLASSIFY: "classification",
    Objective.SEQ2SEQ: "prompt_completion",
    Objective.KTO: "unpaired_preference",
}


def record(objective: Objective, i: int) -> dict[str, Any]:
    """The i-th row of a data set that fits an objective; lengths vary."""
    name, colour = NAMES[i % len(NAMES)], COLOURS[i % 3]
    asked = conversation(f"I am {name} {i}.")
    good = [{"role": "assistant", "content": f"Hello {name}{'!' * (i % 5)}"}]
    bad = [{"role": "assistant", "content": f"What do you want, {name}{'?' * (i % 4)}"}]
    match objective:
        case Objective.SFT | Objective.SEQ2SEQ:
            return {"messages": asked + good}
        case Objective.PRETRAIN:
            return {"text": f"{name} likes {colour} and nothing else. " * (1 + i % 4)}
        case Objective.CLASSIFY:
            return {"text": f"{name} wears a {colour} hat{'.' * (i % 4)}", "label": colour}
        case Objective.KTO:
            return {"messages": asked + (good if i % 2 else bad), "label": bool(i % 2)}
    return {"messages": asked, "chosen": good, "rejected": bad}


def write(path: Path, objective: Objective, count: int) -> Path:
    """A file of `count` records."""
    rows = [record(objective, i) | {"meta": {"line": i + 11}} for i in range(count)]
    return write_records(path, rows)


def write_records(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of these records."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def spec_for(
    objective: Objective,
    data: Path,
    model: Path,
    knobs: dict[str, Any] | None = None,
    **fields: Any,
) -> RunSpec:
    """A short run of an objective, float32 and deterministic."""
    rows = data.read_text().splitlines()
    dataset = {
        "name": "rows",
        "path": str(data),
        "sha256": "0" * 64,
        "num_rows": len(rows),
        "record_type": RECORD_TYPES.get(objective, "preference"),
    }
    return make_spec(
        data, model, objective=objective, dataset=dataset, hyperparameters=knobs, **fields
    )
