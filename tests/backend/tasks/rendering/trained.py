"""What the training engine itself makes of a file of records: the arrays that reach the loss."""

from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from tests.training_engine.objectives.rows import RECORD_TYPES
from training_engine import attempt
from training_engine.contract.choices import Objective
from training_engine.contract.context import context_of
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.data.packing import pack
from training_engine.events import Reporter
from training_engine.models.load import check_folder
from training_engine.start import begin


class Seen(NamedTuple):
    """A sequence: what the model reads, and what it is to predict at which places."""

    read: list[int]
    predicted: dict[int, int]


def spec_of(
    records: Path, model: Path, objective: Objective, knobs: dict[str, Any], template: str | None
) -> RunSpec:
    return RunSpec.model_validate(
        {
            "run_id": "run-1",
            "name": "A test",
            "objective": objective,
            "method": "full",
            "model": {"name": "tiny", "path": str(model)},
            "dataset": {
                "name": "rows",
                "path": str(records),
                "sha256": "",
                "num_rows": 1,
                "record_type": RECORD_TYPES.get(objective, "preference"),
            },
            "output_name": "tuned",
            "device": "cpu",
            "precision": "float32",
            "chat_template": template,
            "hyperparameters": {"evaluation_fraction": 0, "batch_size": 1, **knobs},
        }
    )


def trained(
    run_dir: Path,
    records: Path,
    model: Path,
    objective: Objective,
    knobs: dict[str, Any],
    template: str | None = None,
) -> dict[int, list[Seen]]:
    """Sequences by line, from `attempt.read` and `pack`; raises `EngineFailure` as a run would."""
    spec = spec_of(records, model, objective, knobs, template)
    run_dir.mkdir(parents=True)
    with EventWriter(run_dir) as writer:
        start = begin(run_dir, spec, Reporter(writer), StopRequests(run_dir))
        _, data = attempt.read(start, context_of(check_folder(model, "tiny")))
    found: dict[int, list[Seen]] = defaultdict(list)
    form = data.train.form
    for sample, line in enumerate(data.train.lines):
        row = pack(data.train, [sample])
        begins = 0
        for place, length in enumerate(row.lengths):
            read = row.input_ids[0, begins : begins + length].tolist()
            targets = zip(row.predicting, row.targets, row.owner, strict=False)
            predicted = {int(p) - begins + 1: int(t) for p, t, owner in targets if owner == place}
            if form.target and place == 1:  # the decoder is to say all of it
                predicted = dict(enumerate(read))
            begins += length
            if place < form.sequences - form.borrowed:
                found[line].append(Seen(read, predicted))
    return dict(found)


def shown(sample: dict[str, Any], *, reads_whole: bool) -> Seen:
    """The same of a sample of the API's answer."""
    ids = [token["id"] for token in sample["tokens"]]
    assert sample["num_tokens"] == len(ids), "every token is listed"
    predicted = {i: t["id"] for i, t in enumerate(sample["tokens"]) if t["trained"]}
    assert sample["num_trained"] == len(predicted)
    last_is_read = reads_whole or sample["part"] in ("source", "target")
    return Seen(ids if last_is_read else ids[:-1], predicted)
