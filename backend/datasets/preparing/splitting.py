"""The step `split`: to which part each row belongs."""

from collections.abc import Iterator

import numpy as np

from backend.datasets.prepare_schemas import SplitStep
from backend.datasets.preparing import chance, shares, spool, units
from backend.datasets.preparing.spool import Array
from backend.datasets.preparing.stream import Batch, Kept, NotPossible, Stream
from backend.datasets.preparing.units import Marks
from backend.datasets.preparing.work import Work


def divided(rows: Stream, step: SplitStep, work: Work) -> Iterator[Batch]:
    """All rows, each with its part."""
    every = spool.kept(rows, work.temp / "divided", work.tick)
    marks = units.marks_of(every, step, work.facts)
    names = list(step.order or ())
    parts = _parts(step, names, marks, work)
    found = np.bincount(parts, minlength=len(names)).tolist()
    _require_all(step, dict(zip(names, found, strict=True)), every)
    at = 0
    for batch in every:
        batch.splits = [names[part] for part in parts[at : at + len(batch)].tolist()]
        at += len(batch)
        yield batch
    spool.let_go(every)


def _parts(step: SplitStep, names: list[str], marks: Marks, work: Work) -> Array:
    """The number of the part of each row."""
    fractions = shares.of_fractions(step.fractions, names, step.rest)
    wanted = shares.largest_remainder(len(marks.unit), fractions)
    sizes = np.bincount(marks.unit)
    keys = chance.keys(len(sizes), "split", work.place, step.seed)
    if step.by == "time":
        return _by_time(marks, sizes, wanted)[marks.unit]
    if step.by != "stratified":
        return shares.deal(sizes, keys, wanted)[marks.unit]
    # A unit is of the class of its first row.
    first = np.full(len(sizes), len(marks.unit), np.int64)
    np.minimum.at(first, marks.unit, np.arange(len(marks.unit)))
    classes = marks.value[first]
    rows_of = np.bincount(classes, weights=sizes).astype(np.int64).tolist()
    parts = np.zeros(len(sizes), np.int64)
    for number, counts in enumerate(shares.in_classes(rows_of, fractions)):
        members = np.flatnonzero(classes == number)
        parts[members] = shares.deal(sizes[members], keys[members], counts)
    return parts[marks.unit]


def _by_time(marks: Marks, sizes: Array, wanted: list[int]) -> Array:
    """The part of each unit: those whose last row is the latest come last."""
    latest = np.full(len(sizes), -np.inf)
    np.maximum.at(latest, marks.unit, marks.value)
    first = np.full(len(sizes), len(marks.unit), np.int64)
    np.minimum.at(first, marks.unit, np.arange(len(marks.unit)))
    order = np.lexsort((first, latest))
    starts = np.concatenate([[0], np.cumsum(sizes[order])[:-1]])
    parts = np.zeros(len(sizes), np.int64)
    parts[order] = np.searchsorted(np.cumsum(wanted), starts, side="right")
    return parts


def _require_all(step: SplitStep, found: dict[str, int], every: Kept) -> None:
    for name in step.fractions:
        if not found[name] and every.num_rows:
            raise NotPossible(
                "empty_part",
                f"The part “{name}” would have no row: there are {every.num_rows} rows to divide.",
                "Give it a larger share, or take more rows.",
                split=name,
                num_rows=every.num_rows,
            )
