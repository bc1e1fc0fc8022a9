"""The steps that leave to chance which rows stay, and where: `sample` and `shuffle`."""

from collections.abc import Iterator

import numpy as np

from backend.datasets.prepare_schemas import SampleStep, ShuffleStep
from backend.datasets.preparing import chance, shares, spool
from backend.datasets.preparing.spool import Array
from backend.datasets.preparing.stream import Batch, Stream
from backend.datasets.preparing.work import Work


def sample_size(step: SampleStep, num_rows: int) -> int:
    """How many of so many rows stay; of a fraction the nearest number, but one at least."""
    if step.rows is not None:
        return min(step.rows, num_rows)
    nearest = int(shares.exactly(step.fraction or 0) * num_rows + shares.exactly(0.5))
    return min(max(1, nearest), num_rows)


def sampled(rows: Stream, step: SampleStep, work: Work) -> Iterator[Batch]:
    """Some of the rows, in their order."""
    every = spool.kept(rows, work.temp / "sampled", work.tick)
    size = sample_size(step, every.num_rows)
    stay = chance.chosen(every.num_rows, size, "sample", work.place, step.seed)
    at = 0
    for batch in every:
        part = stay[at : at + len(batch)]
        at += len(batch)
        yield batch.take(np.flatnonzero(part).tolist())
    spool.let_go(every)


def shuffled(rows: Stream, step: ShuffleStep, work: Work) -> Iterator[Batch]:
    """The rows in an order by chance."""
    every = spool.kept(rows, work.temp / "shuffled", work.tick)
    ranks = chance.order(every.num_rows, "shuffle", work.place, step.seed)

    def dealt() -> Iterator[tuple[Batch, Array]]:
        at = 0
        for batch in every:
            yield batch, ranks[at : at + len(batch)]
            at += len(batch)

    if every.num_rows:
        folder = work.temp / "buckets"
        yield from spool.in_order(dealt(), every.num_rows, every.size_bytes, folder)
    spool.let_go(every)
