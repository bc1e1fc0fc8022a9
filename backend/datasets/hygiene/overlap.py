"""What two versions have in common, by their fingerprints."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from backend.datasets.hygiene import excerpts, signatures, texts
from backend.datasets.hygiene.findings import NotExamined
from backend.datasets.hygiene.fingerprints import Fingerprints
from backend.datasets.versions.names import FINGERPRINTS_FILE, RECORDS_FILE

Array = np.ndarray[Any, Any]
MAX_EXAMPLES = 10
BLOCK = 50_000
# Of the rows that agree in a band so many are compared: more are of one kind anyway.
MAX_IN_BAND = 8


def of_versions(folder: Path, other: Path) -> dict[str, Any]:
    """What two versions share, as `compare` says; not computed again while both stay the same."""
    return _remembered(folder, other, _stamp(folder), _stamp(other))


def _stamp(folder: Path) -> tuple[int, int]:
    try:
        facts = (folder / FINGERPRINTS_FILE).stat()
    except FileNotFoundError as error:
        raise NotExamined(str(folder)) from error
    return facts.st_ino, facts.st_mtime_ns


@lru_cache(maxsize=64)
def _remembered(folder: Path, other: Path, *_stamps: tuple[int, int]) -> dict[str, Any]:
    return compare(folder, other)


def compare(folder: Path, other: Path) -> dict[str, Any]:
    """How many rows of the version in `folder` the version in `other` has, too.

    `exact` says the same (but for case and white space), `near` nearly the same (estimated
    likeness of `signatures.SAME` or more), `same_prompt` asks the same and answers differently; a
    row counts once, for the first of these. `rows` are all rows of the version. Raises
    `NotExamined` for a version without fingerprints of the present kind.
    """
    ours, theirs = _open(folder), _open(other)
    exact = _places(ours.hashes["text"], theirs.hashes["text"])
    left = exact < 0
    near = np.full(ours.num_rows, -1)
    rows = np.flatnonzero(left & ours.compared)
    near[rows] = _nearest(ours, rows, theirs)
    prompts = ours.hashes["prompt"]
    same = _places(prompts, theirs.hashes["prompt"])
    same[(prompts == 0) | ~left | (near >= 0)] = -1
    found = {"exact": exact, "near": near, "same_prompt": same}
    counts = {kind: int((places >= 0).sum()) for kind, places in found.items()}
    return {**counts, "rows": ours.num_rows, "examples": _examples(folder, found)}


def _open(folder: Path) -> Fingerprints:
    try:
        prints = Fingerprints(file := folder / FINGERPRINTS_FILE)
    except FileNotFoundError as error:
        raise NotExamined(str(folder)) from error
    if not prints.same_kind:
        raise NotExamined(str(file))
    return prints


def _places(ours: Array, theirs: Array) -> Array:
    """For each of our hashes the first row of theirs that has it, else -1."""
    if not len(theirs):
        return np.full(len(ours), -1)
    order = np.argsort(theirs, kind="stable")
    ordered = theirs[order]
    at = np.minimum(np.searchsorted(ordered, ours), len(ordered) - 1)
    return np.where(ordered[at] == ours, order[at], -1)


def _nearest(ours: Fingerprints, rows: Array, theirs: Fingerprints) -> Array:
    """For each of our `rows` the row of theirs that is most like it, -1 where none is enough."""
    best = np.full(len(rows), -1)
    likeness = np.full(len(rows), signatures.SAME)
    others = np.flatnonzero(theirs.compared)
    if not len(rows) or not len(others):
        return best
    for band in range(signatures.BANDS):
        keys = _keys(theirs, others, band)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        for start in range(0, len(rows), BLOCK):
            part = np.arange(start, min(start + BLOCK, len(rows)))
            own = ours.signatures[rows[part]]
            own_keys = signatures.band_keys(own, band)
            at, end = (np.searchsorted(keys, own_keys, side) for side in ("left", "right"))
            for step in range(MAX_IN_BAND):
                which = np.flatnonzero(at + step < end)
                if not len(which):
                    break
                candidates = others[order[at[which] + step]]
                like = signatures.likeness(own[which], theirs.signatures[candidates])
                better = like >= likeness[part[which]]
                places = part[which[better]]
                best[places], likeness[places] = candidates[better], like[better]
    return best


def _keys(prints: Fingerprints, rows: Array, band: int) -> Array:
    parts = [
        signatures.band_keys(prints.signatures[rows[start : start + BLOCK]], band)
        for start in range(0, len(rows), BLOCK)
    ]
    return np.concatenate(parts)


def _examples(folder: Path, found: dict[str, Array]) -> list[dict[str, Any]]:
    """The first rows of each kind, with the row of the other version."""
    chosen: list[tuple[int, str, int]] = []
    each = -(-MAX_EXAMPLES // max(1, sum((places >= 0).any() for places in found.values())))
    for kind, places in found.items():
        rows = np.flatnonzero(places >= 0)[:each]
        chosen += ((int(row), kind, int(places[row])) for row in rows)
    shown = _rows(folder, [row for row, _, _ in chosen])
    return [
        {"index": row, "other": other, "kind": kind, **shown[row]} for row, kind, other in chosen
    ][:MAX_EXAMPLES]


def _rows(folder: Path, numbers: list[int]) -> dict[int, dict[str, Any]]:
    """`{line, excerpt}` of some rows by number."""
    file = pq.ParquetFile(folder / RECORDS_FILE)
    found: dict[int, dict[str, Any]] = {}
    first = 0
    for group in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        wanted = {number for number in numbers if first <= number < first + size}
        if wanted:
            table = file.read_row_group(group, columns=["record", "line"])
            for number in wanted:
                text = texts.read(table["record"][number - first].as_py().encode()).compared
                line = table["line"][number - first].as_py()
                found[number] = {"line": line, "excerpt": excerpts.of(text)}
        first += size
    return found
