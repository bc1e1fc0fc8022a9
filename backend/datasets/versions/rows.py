"""Rows on their way into a version: columns of equal length."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(slots=True)
class Rows:
    """`records` are canonical records as JSON without `meta`, `lines` where they come from in the
    upload, `extras` what it had beside them as JSON with sorted keys; `splits` the part of the
    version that each belongs to, empty where it is not divided."""

    records: list[bytes] = field(default_factory=list)
    lines: list[int | None] = field(default_factory=list)
    extras: list[bytes | None] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)

    def add(self, record: dict[str, Any], line: int | None, extra: dict[str, Any]) -> None:
        """Append a row; raises `TypeError` for text that is not Unicode, and appends nothing."""
        content = orjson.dumps(record)
        rest = orjson.dumps(extra, option=orjson.OPT_SORT_KEYS) if extra else None
        self.records.append(content)
        self.lines.append(line)
        self.extras.append(rest)


def stored(records: Iterable[dict[str, Any]]) -> Rows:
    """Records with their `meta` as rows."""
    rows = Rows()
    for record in records:
        meta = record.get("meta", {})
        content = {key: value for key, value in record.items() if key != "meta"}
        rows.add(content, meta.get("line"), meta.get("extra") or {})
    return rows


def as_they_are(rows: Iterable[tuple[dict[str, Any], int]]) -> Rows:
    """Rows of a file that nobody has understood yet, each with its line."""
    found = Rows()
    for fields, line in rows:
        found.records.append(orjson.dumps(fields))
        found.lines.append(line)
        found.extras.append(None)
    return found
