"""Versions written and prepared right here, and their rows read with another library."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from backend.datasets.prepare_schemas import PrepareRequest
from backend.datasets.preparing.run import prepare
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import Rows

Row = dict[str, Any]
_numbers = itertools.count()


def talk(question: str, answer: str, system: str | None = None) -> dict[str, Any]:
    """A canonical conversation."""
    turns = [{"role": "system", "content": system}] if system is not None else []
    turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns}


def version(folder: Path, records: Sequence[Row], extras: Sequence[Row] | None = None) -> Path:
    """A version of these records; lines count from 1."""
    made = folder / f"v{next(_numbers)}"
    made.mkdir()
    writer, rows = RecordWriter(made), Rows()
    for number, record in enumerate(records):
        rows.add(record, number + 1, extras[number] if extras else {})
    writer.write(rows)
    writer.close()
    return made


def run(
    folder: Path,
    base: Path,
    steps: list[Row],
    record_type: str = "conversational",
    sources: Sequence[Path] = (),
) -> tuple[Row, Path]:
    """What the job does, with steps as the API takes them; the summary and the version's folder.

    `sources` are those that the steps name, in their order.
    """
    asked = PrepareRequest.model_validate({"steps": steps})
    waiting = iter(sources)
    values = [step.model_dump(mode="json", by_alias=True) for step in asked.steps]
    out = folder / f"out{next(_numbers)}"
    temp = folder / f"temp{next(_numbers)}"
    for each in (out, temp):
        each.mkdir()
    spec = {
        "base": {"folder": str(base)},
        "record_type": record_type,
        "steps": values,
        "step_sources": [
            [{"folder": str(next(waiting))} for _ in step.get("sources", ())] for step in values
        ],
        "max_dropped_rows": 0,
        "columns": [],
    }
    summary = prepare(spec, out, temp, lambda _rows: None)
    left = [path for path in temp.rglob("*") if path.is_file()]
    assert not left, left
    return summary, out


def rows_of(folder: Path) -> list[Row]:
    """`{record, line, extra, split}` of each row."""
    found = pl.read_parquet(folder / "records.parquet", use_pyarrow=False).to_dicts()
    for row in found:
        row["record"] = orjson.loads(row["record"])
        row["extra"] = orjson.loads(row["extra"]) if row["extra"] is not None else {}
    return found


def source(weight: float | None = None) -> Row:
    """A source as a step names it."""
    named: Row = {"dataset_id": "00000000-0000-0000-0000-000000000001"}
    return named if weight is None else {**named, "weight": weight}
