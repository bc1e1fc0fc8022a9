"""Reads what an import found, for the API; blocking, run in a thread."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from backend.datasets.content_schemas import DatasetRow, DatasetStatistics, ReportItem
from backend.datasets.versions.names import REPORT_FILE, STATISTICS_FILE
from training_engine.contract.record_lines import json_line


def record_of(row: dict[str, Any]) -> DatasetRow:
    """A row from the reading process as the API shows it: the record with its `meta`."""
    extra = row["extra"].encode() if row["extra"] is not None else None
    record = orjson.loads(json_line(row["record"].encode(), row["line"], extra))
    return DatasetRow(index=row["index"], line=row["line"], record=record)


def as_it_is(row: dict[str, Any]) -> DatasetRow:
    """A row that nobody has understood yet, as the file has it."""
    return DatasetRow(index=row["index"], line=row["line"], record=orjson.loads(row["record"]))


def report(
    folder: Path, offset: int, limit: int, keep: Callable[[dict[str, Any]], bool] | None
) -> tuple[list[ReportItem], int]:
    """Items from `offset` on among those that `keep` accepts, and how many it accepts."""
    found: list[ReportItem] = []
    total = 0
    try:
        file = (folder / REPORT_FILE).open("rb")
    except FileNotFoundError:
        return [], 0
    with file:
        for line in file:
            wanted = offset <= total < offset + limit
            if keep is not None or wanted:
                item = orjson.loads(line)
                if keep is not None and not keep(item):
                    continue
                if wanted:
                    found.append(ReportItem.model_validate(item))
            total += 1
    return found, total


def statistics(folder: Path) -> DatasetStatistics:
    """What was counted at the import; all empty when there is none."""
    try:
        return DatasetStatistics.model_validate_json((folder / STATISTICS_FILE).read_bytes())
    except FileNotFoundError:
        return DatasetStatistics(
            fields=[], num_turns={}, lengths=[], labels=[], roles={}, characters=0
        )
