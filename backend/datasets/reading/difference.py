"""What changed between two versions; runs in the reading process.

Rows are compared by 64-bit hashes of what they say. A row of one version whose content the other
lacks is paired with such a row of the other that comes from the same line: it has changed.
"""

from collections import defaultdict, deque
from typing import Any

import polars as pl

from backend.datasets.reading.rows import Version

SHOWN = 100


def difference(before: Version, after: Version) -> dict[str, Any]:
    """`{added, removed, changed, unchanged, items}` from `before` to `after`."""
    old, new = before.contents(), after.contents()
    # Of rows that say the same, those of the same line are partners first.
    for keys in (["hash", "line"], ["hash"]):
        old, new = _without_partner(old, new, keys), _without_partner(new, old, keys)
    pairs = _same_lines(old, new)
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


def _same_lines(old: pl.DataFrame, new: pl.DataFrame) -> list[tuple[int, int]]:
    """Pairs of rows that come from the same line, in the order of the new version."""
    waiting: defaultdict[int, deque[int]] = defaultdict(deque)
    for row, line in old.filter(pl.col("line") >= 0).select("row", "line").iter_rows():
        waiting[line].append(row)
    found = new.select("row", "line").iter_rows()
    return [(waiting[line].popleft(), row) for row, line in found if waiting.get(line)]


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
