"""From a spec to encoded training and evaluation samples."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from training_engine.contract.names import FailureCode
from training_engine.contract.spec import RunSpec
from training_engine.data.encode import EncodedSet, Encoder
from training_engine.data.order import held_out
from training_engine.data.reading import Reading
from training_engine.data.records import Row, read_rows
from training_engine.failures import EngineFailure

KEPT_EXAMPLES = 3


@dataclass
class PreparedData:
    """What a run learns from and measures on; `examples` are held-out rows to show answers of."""

    train: EncodedSet
    evaluation: EncodedSet | None
    examples: list[Row] = field(default_factory=list)

    @property
    def sets(self) -> list[EncodedSet]:
        """The sets that hold anything."""
        return [found for found in (self.train, self.evaluation) if found is not None]


def prepare(spec: RunSpec, reading: Reading, terminators: set[int]) -> PreparedData:
    """Read, split, render, encode and check; raises `EngineFailure`."""
    knobs = spec.hyperparameters
    paths = [Path(spec.dataset.path)]
    if spec.validation_dataset:
        paths.append(Path(spec.validation_dataset.path))
    reading.study(lambda: (row for path in paths for row in read_rows(path)))
    encoder = Encoder(reading, terminators, leave_out=knobs.leave_out_overlong)
    kept: list[Row] = []
    if spec.validation_dataset:
        train = encoder.encode(read_rows(paths[0]))
        kept = list(read_rows(paths[1]))
    else:
        out = held_out(knobs.seed, count_rows(paths[0]), knobs.evaluation_fraction)
        train = encoder.encode(_set_aside(paths[0], out, kept))
    if not len(train):
        raise EngineFailure(
            FailureCode.BAD_DATASET,
            "The data set has no rows to train on.",
            "Upload a data set with rows, or hold out a smaller share for evaluation.",
        )
    evaluation = encoder.encode(kept) if kept else None
    if evaluation is not None and not len(evaluation):  # all of them left out
        evaluation = None
    return PreparedData(train, evaluation, kept[:KEPT_EXAMPLES])


def count_rows(path: Path) -> int:
    """Lines that are not blank; 0 when there is no file (reading it gives the reason)."""
    try:
        with path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    except OSError:
        return 0


def _set_aside(path: Path, out: set[int], kept: list[Row]) -> Iterator[Row]:
    """Rows to train on; those of `out` go to `kept` on the way."""
    for index, row in enumerate(read_rows(path)):
        if index in out:
            kept.append(row)
        else:
            yield row
