"""Files that were taken out of a data set here and come back: what stood beside a record stands
there again, and the line of the former file goes, since the row has a new one.

JSON lines have it in `meta: {line?, extra?}`, Parquet in the columns `line`, `extra` and `split`.
"""

from typing import Any

from backend.datasets.readers import strict_json
from backend.datasets.rows import RowError

Fields = dict[str, Any]
_RECORD = frozenset({"messages", "tools", "chosen", "rejected", "label", "text"})
BESIDE = frozenset({"line", "extra", "split"})
META = "meta"
OWN = BESIDE | {META}
_INNER = frozenset({"line", "extra"})


def restored(left: Fields, row: Fields) -> Fields:
    """What a row has beside its record; `left` is what the record does not use of `row`.

    Only of a row that has nothing but what exports write: names such as `line` are anybody's.
    """
    if META in row:
        is_own = row.keys() <= _RECORD | {META}
        meta = row[META] if is_own else None
        split = None
        if not isinstance(meta, dict) or not meta or not meta.keys() <= _INNER:
            return left
        line, extra = meta.get("line"), meta.get("extra")
    else:
        if not row.keys() >= BESIDE or not row.keys() <= _RECORD | BESIDE:
            return left
        line, split, extra = row["line"], row["split"], _parsed(row["extra"])
    if (
        not _is_line(line)
        or not isinstance(extra, dict | None)
        or not isinstance(split, str | None)
    ):
        return left
    others = {name: value for name, value in left.items() if name not in OWN}
    others |= {"split": split} if split else {}
    extra = extra or {}
    return {**others, **extra} if others.keys().isdisjoint(extra) else left


def _parsed(extra: Any) -> Any:
    """Values that stand as a JSON text in a cell."""
    if not isinstance(extra, str):
        return extra
    try:
        return strict_json.parse(extra.encode())
    except (RowError, UnicodeEncodeError):
        return extra


def _is_line(line: Any) -> bool:
    return line is None or (type(line) is int and line > 0)
