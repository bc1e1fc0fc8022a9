"""Curves of a task over all its attempts: what a later attempt did again replaces the earlier."""

import re
from collections.abc import Sequence
from math import inf

import orjson

from backend.jobs.run_folder import RunFolder
from backend.tasks.downsample import kept_indexes
from backend.tasks.history import Series, history_of
from backend.tasks.history_schemas import MetricSeries
from backend.tasks.position import Position

STEP_OF_NAME = re.compile(r"(\d+)$")


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
