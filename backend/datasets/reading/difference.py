"""What changed between two versions; runs in the reading process.

Rows are compared by 64-bit hashes of what they say. A row of one version whose content the other
lacks is paired with such a row of the other that comes from the same line: it has changed. Where
rows of several files are together a line says little: then it must also ask, answer, or have
beside it the same.
"""

from collections import defaultdict, deque
from collections.abc import Hashable, Mapping
from typing import Any

import polars as pl

from backend.datasets.reading.resemblance import PARTS, parts_of
from backend.datasets.reading.rows import Version

SHOWN = 100
Told = dict[int, list[tuple[int, int] | None]]


def difference(before: Version, after: Version, *, mixed: bool = False) -> dict[str, Any]:
    """`{added, removed, changed, unchanged, items}` from `before` to `after`.

    `mixed`: one of them is known to have rows of several data sets.
    """
    old, new = before.contents(), after.contents()
    doubtful = None if mixed else _repeated(old) | _repeated(new)
    # Of rows that say the same, those of the same line are partners first.
    for keys in (["hash", "line"], ["hash"]):
        old, new = _without_partner(old, new, keys), _without_partner(new, old, keys)
    pairs = _pairs(before, old, after, new, doubtful)
    gone = sorted(set(old["row"]) - {a for a, _ in pairs})
    come = sorted(set(new["row"]) - {b for _, b in pairs})
    items = [
        *_items("changed", before, [a for a, _ in pairs], after, [b for _, b in pairs]),
        *_items("removed", before, gone, after, []),
        *_items("added", before, [], after, come),
    ]
    return {
        "added": len(come),
        "removed": len(gone),
        "changed": len(pairs),
        "unchanged": after.num_rows - len(come) - len(pairs),
        "items": items,
    }


def _without_partner(own: pl.DataFrame, other: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The rows of `own` beyond as many with the same keys as `other` has."""
    counts = other.group_by(keys).len("others")
    nth = own.with_columns(nth=pl.int_range(pl.len()).over(keys))
    joined = nth.join(counts, on=keys, how="left", maintain_order="left")
    alone = joined.filter(pl.col("nth") >= pl.col("others").fill_null(0))
    return alone.select(own.columns)


def _repeated(rows: pl.DataFrame) -> set[int]:
    """Lines that more than one row comes from."""
    lines = rows.filter(pl.col("line") >= 0)["line"]
    return set(lines.filter(lines.is_duplicated()))


def _pairs(
    before: Version,
    old: pl.DataFrame,
    after: Version,
    new: pl.DataFrame,
    doubtful: set[int] | None,
) -> list[tuple[int, int]]:
    """Rows that changed, in the order of the new version; all lines are doubtful when None is."""
    old_lines, new_lines = _lines(old), _lines(new)
    if doubtful is not None:
        plain = [
            {row: line for row, line in lines.items() if line not in doubtful}
            for lines in (old_lines, new_lines)
        ]
        found = _matched(*plain)
    else:
        found = []
    done = {row for row, _ in found}, {row for _, row in found}
    old_lines, new_lines = (
        {row: line for row, line in lines.items() if row not in paired}
        for lines, paired in zip((old_lines, new_lines), done, strict=True)
    )
    shared = set(old_lines.values()) & set(new_lines.values())
    if doubtful is not None:
        shared &= doubtful
    if shared:
        found += _resembling(_told(before, old_lines, shared), _told(after, new_lines, shared))
    return sorted(found, key=lambda pair: pair[1])


def _lines(rows: pl.DataFrame) -> dict[int, int]:
    """The line of each row that has one."""
    return dict(rows.filter(pl.col("line") >= 0).select("row", "line").iter_rows())


def _told(version: Version, lines: dict[int, int], shared: set[int]) -> Told:
    """What each of these rows says, with its line, part by part."""
    wanted = sorted(row for row, line in lines.items() if line in shared)
    return {
        row: [(lines[row], part) if part is not None else None for part in parts_of(record, extra)]
        for row, record, extra in version.said(wanted)
    }


def _resembling(old: Told, new: Told) -> list[tuple[int, int]]:
    """Pairs of rows that have a part in common, first those that ask the same."""
    found = []
    for part in range(PARTS):
        keys = [
            {row: parts[part] for row, parts in rows.items() if parts[part] is not None}
            for rows in (old, new)
        ]
        for pair in _matched(*keys):
            found.append(pair)
            del old[pair[0]], new[pair[1]]
    return found


def _matched(old: Mapping[int, Hashable], new: Mapping[int, Hashable]) -> list[tuple[int, int]]:
    """Pairs of rows with the same key; each row is in one at most."""
    waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for row, key in old.items():
        waiting[key].append(row)
    return [(waiting[key].popleft(), row) for row, key in new.items() if waiting.get(key)]


def _items(
    change: str, before: Version, old: list[int], after: Version, new: list[int]
) -> list[dict[str, Any]]:
    """The first rows of one kind; pairs stand in the order of the new version."""
    old_rows = {row["index"]: row for row in before.rows(sorted(old[:SHOWN]))}
    new_rows = {row["index"]: row for row in after.rows(sorted(new[:SHOWN]))}
    count = min(SHOWN, max(len(old), len(new)))
    return [
        {
            "change": change,
            "before": old_rows.get(old[i]) if old else None,
            "after": new_rows.get(new[i]) if new else None,
        }
        for i in range(count)
    ]
