"""Steps tried out before anybody waits for them; runs in the reading process.

A small version is prepared as a whole, in a folder that is thrown away. Of a large one some groups
of rows are, spread evenly; what random steps leave is computed from their rules, what filters and
changes leave is extrapolated, and each number says which it is.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.datasets.importing.report import Findings
from backend.datasets.prepare_schemas import ConcatenateStep, MixStep, SampleStep, Step
from backend.datasets.preparing.combining import mixture_size
from backend.datasets.preparing.run import STEPS, Chain
from backend.datasets.preparing.sampling import sample_size
from backend.datasets.preparing.stream import Batch, NotPossible, Stored
from training_engine.contract.names import RecordType

WHOLE_ROWS, WHOLE_BYTES = 20_000, 32 * 1024 * 1024
TRIED_ROWS, TRIED_BYTES = 5_000, 8 * 1024 * 1024
LIMIT_S = 15.0
SHOWN, SHOWN_BYTES = 20, 4 * 1024 * 1024
Found = dict[str, Any]


class _TooSlow(Exception):
    """There is no time for more."""


def preview(
    base: Found, record_type: str, steps: list[Found], step_sources: list[list[Found]]
) -> Found:
    """`{tried_rows, exact, steps, splits, items, removed}`, or `{too_slow}`, or
    `{refused, message}` when that can not be done."""
    end = time.monotonic() + LIMIT_S

    def tick(_rows: int) -> None:
        if time.monotonic() > end:
            raise _TooSlow

    try:
        with tempfile.TemporaryDirectory() as temp:
            return _Trial(base, step_sources, tick).run(
                RecordType(record_type), STEPS.validate_python(steps), Path(temp)
            )
    except _TooSlow:
        return {"too_slow": True}
    except NotPossible as error:
        sentence = f"{error.message} {error.hint}"
        told = {**error.params, "reason": sentence, "reason_code": error.code}
        return {"refused": told, "message": sentence}


class _Trial:
    def __init__(self, base: Found, step_sources: list[list[Found]], tick: Any) -> None:
        self._folder = Path(base["folder"])
        every = {each["folder"]: each for some in step_sources for each in some}
        whole = {name: Stored(Path(name), tick, base=False) for name in every}
        own = Stored(self._folder, tick, base=True)
        self._sizes = [[whole[each["folder"]].num_rows for each in some] for some in step_sources]
        self._num_rows = own.num_rows
        rows = own.num_rows + sum(each.num_rows for each in whole.values())
        size = own.size_bytes + sum(each.size_bytes for each in whole.values())
        self.exact = rows <= WHOLE_ROWS and size <= WHOLE_BYTES
        share = min(1.0, TRIED_ROWS / max(1, rows), TRIED_BYTES / max(1, size))
        if self.exact:
            self._base = own
            self._sources = [[whole[each["folder"]] for each in some] for some in step_sources]
        else:
            self._base = own.part(share)
            parts = {name: each.part(share) for name, each in whole.items()}
            self._sources = [[parts[each["folder"]] for each in some] for some in step_sources]
        self._tick = tick

    def run(self, record_type: RecordType, steps: list[Step], temp: Path) -> Found:
        """Try the steps out."""
        tried = steps if self.exact else [self._scaled(step) for step in steps]
        dropped = Findings()
        chain = Chain(
            self._base,
            self._folder,
            record_type,
            tried,
            self._sources,
            temp,
            self._tick,
            lambda found: dropped.rules.update(found.rules),
        )
        first, splits, left = Batch(), {}, set()  # type: tuple[Batch, dict[str, int], set[int]]
        for batch in chain:
            self._tick(len(batch))
            left.update(batch.origins)
            if len(first) < SHOWN and first.size_bytes < SHOWN_BYTES:
                first.add(batch.take(range(min(len(batch), SHOWN - len(first)))))
            for split in batch.splits:
                if split is not None:
                    splits[split] = splits.get(split, 0) + 1
        before, removed = self._before(set(first.origins), left)
        return {
            "tried_rows": self._base.num_rows,
            "exact": self.exact,
            "steps": self._outlook(steps, chain.lineage()),
            "splits": splits,
            "items": _items(first, before),
            "removed": removed,
        }

    def _scaled(self, step: Step) -> Step:
        """The step for the part that is tried: so many rows of it as of the whole."""
        rows = getattr(step, "rows", None)
        if not isinstance(step, SampleStep | MixStep) or rows is None:
            return step
        share = self._base.num_rows / max(1, self._num_rows)
        return step.model_copy(update={"rows": max(1, round(rows * share))})

    def _before(self, wanted: set[int], left: set[int]) -> tuple[dict[int, Found], list[Found]]:
        """Rows of the version as they are: those that are wanted, and the first that are gone."""
        found: dict[int, Found] = {}
        removed: list[Found] = []
        for batch in self._base:
            for place, origin in enumerate(batch.origins):
                gone = len(removed) < SHOWN and origin not in left
                if origin in wanted or gone:
                    row = {"index": origin, **_stored(batch, place)}
                    if gone:
                        removed.append(row)
                    else:
                        found[origin] = row
            if len(removed) == SHOWN and found.keys() >= wanted - {-1}:
                break
        return found, removed

    def _outlook(self, steps: Sequence[Step], did: list[Found]) -> list[Found]:
        """What each step makes of all rows, by what it did with those that were tried."""
        rows, exact = self._num_rows, True
        found = []
        for step, sizes, numbers in zip(steps, self._sizes, did, strict=True):
            out, dropped = numbers["rows_out"], numbers["dropped"]
            if not self.exact:
                out, dropped, known = _expected(step, rows, sizes, numbers)
                exact = exact and known
            found.append(
                {
                    "kind": step.kind,
                    "rows_in": rows,
                    "rows_out": out,
                    "dropped": dropped,
                    "exact": exact,
                }
            )
            rows = out
        return found


def _expected(step: Step, rows: int, sizes: Sequence[int], numbers: Found) -> tuple[int, int, bool]:
    """Rows that leave the step, rows that it drops, and whether that follows from `rows` alone."""
    match step:
        case SampleStep():
            return sample_size(step, rows), 0, True
        case ConcatenateStep():
            return rows + sum(sizes), 0, True
        case MixStep():
            weights = [step.weight, *(source.weight for source in step.sources)]
            every = [rows, *sizes]
            return mixture_size(every, weights, step.rows, repeat=step.repeat), 0, True
    if step.kind in ("shuffle", "split"):
        return rows, 0, True
    of_those = max(1, numbers["rows_in"])
    out = round(rows * numbers["rows_out"] / of_those)
    return out, round(rows * numbers["dropped"] / of_those), False


def _stored(batch: Batch, place: int) -> Found:
    extra = batch.extras[place]
    return {
        "record": batch.records[place].decode(),
        "line": batch.lines[place],
        "extra": extra.decode() if extra is not None else None,
    }


def _items(rows: Batch, before: dict[int, Found]) -> list[Found]:
    found = []
    for place, origin in enumerate(rows.origins):
        now = _stored(rows, place)
        found.append(
            {
                "index": place,
                "origin": origin if origin >= 0 else None,
                "split": rows.splits[place],
                "before": before.get(origin),
                "after": now.pop("record"),
                **now,
            }
        )
    return found
