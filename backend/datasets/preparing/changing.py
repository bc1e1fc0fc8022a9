"""The step `map`: changes of rows, one after the other, some hundred rows at a time.

A row that no change touches keeps its bytes. One that is changed is checked like an imported row:
it is used, used after a repair, or dropped; the report says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from backend.datasets.importers.importer import Repairs
from backend.datasets.importing.report import Findings
from backend.datasets.prepare_schemas import MapStep
from backend.datasets.preparing import changes
from backend.datasets.preparing.changes import Row
from backend.datasets.preparing.record_types import after_change
from backend.datasets.preparing.records import require_whole
from backend.datasets.preparing.stream import Batch, Stream
from backend.datasets.preparing.work import Work
from backend.datasets.rows import RowError
from training_engine.contract.names import RecordType


@dataclass(slots=True)
class _Made:
    """What becomes of a batch."""

    batch: Batch = field(default_factory=Batch)
    found: Findings = field(default_factory=Findings)


def changed(rows: Stream, step: MapStep, work: Work) -> Iterator[Batch]:
    """The rows with the changes; those that can not be used any more are reported."""
    types = [work.record_type]
    for change in step.changes:
        types.append(after_change(change, types[-1]) or types[-1])
    for batch in rows:
        some = [
            Row(orjson.loads(record), orjson.loads(extra) if extra else {})
            for record, extra in zip(batch.records, batch.extras, strict=True)
        ]
        for change, record_type in zip(step.changes, types, strict=False):
            alive = [row for row in some if row.error is None and not row.gone]
            changes.apply(change, alive, record_type)
        made = _made(batch, some, types[-1])
        work.dropped += made.found.dropped
        work.report(made.found)
        yield made.batch


def _made(batch: Batch, rows: list[Row], record_type: RecordType) -> _Made:
    """The rows that can be used, and the findings about the others."""
    made = _Made()
    out = made.batch
    for place, row in enumerate(rows):
        if row.gone:
            continue
        line = _line(batch, place)
        repairs: Repairs = row.repairs
        record, extra = batch.records[place], batch.extras[place]
        try:
            if row.error is not None:
                raise row.error
            if row.changed:
                require_whole(row.record, record_type, repairs)
                record = _json(row.record)
        except RowError as error:
            made.found.drop(line, None, record, error)
            continue
        if row.extra_changed:
            extra = _json(row.extra, orjson.OPT_SORT_KEYS) if row.extra else None
        if repairs:
            made.found.repair(line, None, record, repairs)
        out.records.append(record)
        out.lines.append(batch.lines[place])
        out.extras.append(extra)
        out.splits.append(batch.splits[place])
        out.origins.append(batch.origins[place])
        out.repaired.append(batch.repaired[place] or bool(repairs))
    return made


def _json(fields: dict[str, Any], option: int | None = None) -> bytes:
    """A copy: what the encoder gives keeps several times its size reserved, and rows are held."""
    return memoryview(orjson.dumps(fields, option=option)).tobytes()


def _line(batch: Batch, place: int) -> int:
    """The line of the upload, or the number of the row (from 1) where it has none."""
    line = batch.lines[place]
    return line if line is not None else batch.origins[place] + 1
