"""Curves of a task over all its attempts: what a later attempt did again replaces the earlier."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import inf, isnan

import orjson

from backend.jobs.run_folder import RunFolder
from backend.tasks.downsample import kept_indexes
from backend.tasks.history import Series, history_of
from backend.tasks.history_schemas import MetricSeries
from backend.tasks.position import Position

STEP_OF_NAME = re.compile(r"(\d+)$")
CSV_HEAD = b"name,attempt,step,epoch,value,at\n"
CSV_ROWS = 2000


def began_at(folder: RunFolder) -> int:
    """The step that an attempt continued from; 0 from the beginning."""
    try:
        spec = orjson.loads(folder.spec_file.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return 0
    found = STEP_OF_NAME.search(str(spec.get("resume_from") or ""))
    return int(found.group(1)) if found else 0


def valid_until(begins: Sequence[int]) -> list[float]:
    """For each attempt the last step that no later attempt did again."""
    limits: list[float] = []
    limit = inf
    for begin in reversed(begins):
        limits.append(limit)
        limit = min(limit, begin)
    return limits[::-1]


def series_of(folders: Sequence[RunFolder], max_points: int) -> MetricSeries:
    """All curves, each of `max_points` at most; blocks on files."""
    begins = [began_at(folder) for folder in folders]
    whole: dict[str, Series] = {}
    checkpoints: set[int] = set()
    seen = Position(1, None)
    for folder, limit in zip(folders, valid_until(begins), strict=True):
        with history_of(folder) as history:
            seen = Position(folder.attempt, history.last_offset)
            for name, series in history.series.items():
                whole.setdefault(name, Series()).extend(series.until(limit))
            checkpoints |= {c.step for c in history.checkpoints if c.step <= limit}
    return MetricSeries(
        series={
            name: series.points(kept_indexes(series.values, max_points))
            for name, series in sorted(whole.items())
        },
        attempts={
            str(folder.attempt): begin for folder, begin in zip(folders, begins, strict=True)
        },
        checkpoints=sorted(checkpoints),
        next=str(seen),
    )


def csv_of(folders: Sequence[RunFolder]) -> Iterator[bytes]:
    """Every point of every curve as CSV, a piece at a time; NaN where a value was not finite."""
    begins = [began_at(folder) for folder in folders]
    yield CSV_HEAD
    for folder, limit in zip(folders, valid_until(begins), strict=True):
        with history_of(folder) as history:
            whole = {name: series.until(limit) for name, series in sorted(history.series.items())}
        for name, series in whole.items():
            cell = _cell(name)
            for start in range(0, len(series.steps), CSV_ROWS):
                rows = range(start, min(start + CSV_ROWS, len(series.steps)))
                yield "".join(_row(cell, folder.attempt, series, row) for row in rows).encode()


def _row(cell: str, attempt: int, series: Series, row: int) -> str:
    epoch, value = series.epochs[row], series.values[row]
    shown = "" if isnan(epoch) else f"{epoch:.10g}"
    number = "NaN" if isnan(value) else repr(value)
    at = datetime.fromtimestamp(series.times[row], UTC).isoformat().replace("+00:00", "Z")
    return f"{cell},{attempt},{series.steps[row]},{shown},{number},{at}\n"


def _cell(text: str) -> str:
    """A name as a cell: quoted where it must be, and no formula for a spreadsheet."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r"):
        text = f"'{text}"
    if any(sign in text for sign in ',"\n\r'):
        text = '"' + text.replace('"', '""') + '"'
    return text
