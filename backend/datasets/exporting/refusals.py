"""Which rows a form can not express, and why, as it is told to whoever asked for the form."""

from collections import Counter
from typing import Any

from backend.datasets.exporting.forms import NoPlace

SHOWN = 5


class Refusals:
    """Counts the reasons; of each it keeps the first rows."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, tuple[NoPlace, list[int]]] = {}

    def add(self, error: NoPlace, row: int) -> None:
        """The form has no place for this row, counted from 0 in its version."""
        reason = str(error)
        self._counts[reason] += 1
        rows = self._first.setdefault(reason, (error, []))[1]
        if len(rows) < SHOWN:
            rows.append(row)

    def __bool__(self) -> bool:
        return bool(self._counts)

    def told(self) -> dict[str, Any]:
        """`count` of all such rows; of the most frequent reason its `reason_code` with the values
        that belong to it, `reason` as a phrase, `reason_count`, and the first `rows` as a text,
        counted from 1."""
        reason, count = self._counts.most_common(1)[0]
        error, rows = self._first[reason]
        return {
            **error.params,
            "count": self._counts.total(),
            "reason": reason,
            "reason_code": error.code,
            "reason_count": count,
            "rows": ", ".join(str(row + 1) for row in rows),
        }
