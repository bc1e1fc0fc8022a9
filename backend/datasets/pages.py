"""Reads windows of a version's rows and of its report, for the API; blocking, run in a thread."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from backend.datasets.canonical import (
    OFFSET_BYTES,
    OFFSETS_FILE,
    RECORDS_FILE,
    REPORT_FILE,
    STATISTICS_FILE,
)
from backend.datasets.schemas import DatasetRow, DatasetStatistics, ReportItem

# A page of very long rows ends early rather than filling the memory; the client asks on.
MAX_PAGE_BYTES = 8 * 1024 * 1024


def rows(folder: Path, offset: int, limit: int) -> tuple[list[DatasetRow], int]:
    """Rows from `offset` on, and how many there are."""
    try:
        total = (folder / OFFSETS_FILE).stat().st_size // OFFSET_BYTES
    except FileNotFoundError:
        return [], 0
    if offset >= total:
        return [], total
    with (folder / OFFSETS_FILE).open("rb") as offsets, (folder / RECORDS_FILE).open("rb") as file:
        offsets.seek(offset * OFFSET_BYTES)
        (start,) = struct.unpack("<Q", offsets.read(OFFSET_BYTES))
        file.seek(start)
        found: list[DatasetRow] = []
        size = 0
        while len(found) < limit and size < MAX_PAGE_BYTES and (line := file.readline()):
            size += len(line)
            found.append(_row(offset + len(found), line))
        return found, total


def search(folder: Path, query: str, offset: int, limit: int) -> tuple[list[DatasetRow], int]:
    """Rows whose texts contain `query`, whatever the case, and how many there are."""
    needle = query.casefold()
    matches = size = 0
    found: list[DatasetRow] = []
    try:
        file = (folder / RECORDS_FILE).open("rb")
    except FileNotFoundError:
        return [], 0
    with file:
        for index, line in enumerate(_matching(file, needle)):
            if line is None:
                continue
            if matches >= offset and len(found) < limit and size < MAX_PAGE_BYTES:
                found.append(_row(index, line))
                size += len(line)
            matches += 1
    return found, matches


def _matching(file: BinaryIO, needle: str) -> Iterator[bytes | None]:
    """Every line that matches, None for every other; keys and numbers do not count."""
    quick = orjson.dumps(needle)[1:-1]
    ascii_only = needle.isascii()
    for line in file:
        # A quick look at the bytes; only what passes is parsed.
        if ascii_only and quick not in line.lower() and line.isascii():
            yield None
        else:
            record = orjson.loads(line)
            yield line if any(needle in text.casefold() for text in _texts(record)) else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key != "role":
                yield from _texts(item)


def _row(index: int, line: bytes) -> DatasetRow:
    record = orjson.loads(line)
    meta = record.get("meta")
    number = meta.get("line") if isinstance(meta, dict) else None
    return DatasetRow(index=index, line=number if isinstance(number, int) else None, record=record)


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
