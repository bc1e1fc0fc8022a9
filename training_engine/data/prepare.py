"""From a spec to encoded training and evaluation samples."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from training_engine.contract.names import FailureCode
from training_engine.contract.spec import DatasetReference, RunSpec
from training_engine.data.encode import BATCH_ROWS, EncodedSet, Encoder
from training_engine.data.order import held_out
from training_engine.data.reading import Reading
from training_engine.data.records import Row, count_rows, listed, read_rows
from training_engine.failures import EngineFailure

KEPT_EXAMPLES = 3
Look = Callable[[str], None]


@dataclass
class PreparedData:
    """What a run learns from and measures on; `examples` are held-out rows to show answers of.

    `held_out` is empty where all those rows were left out. `own_file`: they are those of another
    file, whose lines are counted apart.
    """

    train: EncodedSet
    held_out: EncodedSet | None
    examples: list[Row] = field(default_factory=list)
    own_file: bool = False

    @property
    def evaluation(self) -> EncodedSet | None:
        """The samples to measure on; None without any."""
        return self.held_out or None

    @property
    def sets(self) -> list[EncodedSet]:
        """The sets that hold anything."""
        return [found for found in (self.train, self.evaluation) if found is not None]


def prepare(
    spec: RunSpec, reading: Reading, terminators: set[int], look: Look = lambda doing: None
) -> PreparedData:
    """Read, split, render, encode and check; raises `EngineFailure`.

    `look` is told what is done with every so many rows; what it raises ends the work.
    """
    knobs, validation = spec.hyperparameters, spec.validation_dataset
    sources = [spec.dataset] if validation is None else [spec.dataset, validation]
    study = "Looking through the data"
    reading.study(lambda: (row for each in sources for row in _rows(each, look, study)))
    encoder = Encoder(reading, terminators, leave_out=knobs.leave_out_overlong)
    rows = _rows(spec.dataset, look, "Reading the data", checked=True)
    kept: list[Row] = []
    own_file = validation is not None and validation.path != spec.dataset.path
    if validation is not None:
        train = encoder.encode(rows)
        with _validation_named(own_file):
            kept = list(_rows(validation, look, "Reading the validation data", checked=True))
    else:
        count = count_rows(Path(spec.dataset.path), spec.dataset.split)
        out = held_out(knobs.seed, count, knobs.evaluation_fraction)
        train = encoder.encode(_set_aside(rows, out, kept))
    if not len(train):
        raise _nothing_to_learn(train, reading)
    held = _watched(kept, look, "Encoding held-out rows", len(kept))
    with _validation_named(own_file):
        evaluation = encoder.encode(held) if kept else None
    return PreparedData(train, evaluation, kept[:KEPT_EXAMPLES], own_file)


@contextmanager
def _validation_named(own_file: bool) -> Iterator[None]:
    """What is wrong with another file says that it is that one: its lines are counted apart."""
    try:
        yield
    except EngineFailure as failure:
        if own_file:
            failure.message = f"In the validation data: {failure.message}"
        raise


def _rows(
    source: DatasetReference, look: Look, doing: str, *, checked: bool = False
) -> Iterator[Row]:
    """The rows of a data set, which is to be the one that the spec means where it is `checked`."""
    # Nobody knows the hash of what a spec written by hand names: left empty, or zeros.
    known = source.sha256.strip("0") != ""
    expected = source.sha256 if checked and known else None
    rows = read_rows(Path(source.path), expected, source.split)
    return _watched(rows, look, doing, source.num_rows)


def _watched(rows: Iterable[Row], look: Look, doing: str, total: int) -> Iterator[Row]:
    for done, row in enumerate(rows):
        if done % BATCH_ROWS == 0:
            look(f"{doing}: {done} of {max(done, total)}")
        yield row


def _set_aside(rows: Iterable[Row], out: set[int], kept: list[Row]) -> Iterator[Row]:
    """Rows to train on; those of `out` go to `kept` on the way."""
    for index, row in enumerate(rows):
        if index in out:
            kept.append(row)
        else:
            yield row


def _nothing_to_learn(train: EncodedSet, reading: Reading) -> EngineFailure:
    """Why there is not one sample, and what to do about it."""
    lines = sorted(set(train.left_out_lines))
    if not lines:
        return EngineFailure(
            FailureCode.BAD_DATASET,
            "The data set has no rows to train on.",
            "Upload a data set with rows, or hold out a smaller share for evaluation.",
        )
    longest = reading.lengths[0]
    raised = (
        "Raise max_length"
        if longest >= reading.knobs.max_length
        else "Choose a model that reads longer texts"
    )
    return EngineFailure(
        FailureCode.BAD_DATASET,
        f"All {len(lines):,} rows to train on are longer than the maximum length (max_length) of "
        f"{longest:,} tokens, which cuts their whole answers away, and such rows are left out "
        f"(line {listed(lines)}).",
        f"{raised}, or shorten these rows and upload the data set as a new version.",
        {"lines": listed(lines), "count": len(lines), "max_length": longest},
    )
