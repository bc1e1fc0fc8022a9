"""What became of every row: exact counts, and an item for each that was not simply kept."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import orjson

from backend.datasets.canonical import REPORT_FILE
from backend.datasets.rows import RawRow, Repair, RowError, UnreadableFile, excerpt

# A file of a million broken lines must not fill the disk with their descriptions; counts go on.
MAX_ITEMS = 100_000
_FLUSH_ITEMS = 1000


class ReportWriter:
    """Counts rows; `kept + repaired + dropped` is the number of rows of the file."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / REPORT_FILE).open("wb")
        self._pending: list[bytes] = []
        self._items = 0
        self.kept = 0
        self.repaired = 0
        self.dropped = 0
        self.rules: Counter[str] = Counter()

    def drop(self, row: RawRow, error: RowError) -> None:
        """The row is left out because of `error`."""
        self.dropped += 1
        self._add(row, error, "dropped")

    def repair(self, row: RawRow, repairs: Sequence[Repair]) -> None:
        """The row is used with these changes; one item for each kind of change."""
        self.repaired += 1
        for one in {repair.rule: repair for repair in repairs}.values():
            self._add(row, one, "repaired")

    def unreadable(self, error: UnreadableFile) -> None:
        """The file broke here; what came before it was not imported."""
        row = RawRow(error.line or 1, error.byte_offset or 0, error.excerpt)
        self._add(row, RowError(error.code, None, error.message), "dropped")

    def forget_rows(self) -> None:
        """Nothing of the file is imported after all; the items stay."""
        self.kept = self.repaired = self.dropped = 0

    def _add(
        self, row: RawRow, what: Repair | RowError, action: Literal["repaired", "dropped"]
    ) -> None:
        self.rules[what.rule] += 1
        self._items += 1
        if self._items > MAX_ITEMS:
            return
        item = {
            "line": row.line,
            "byte_offset": row.byte_offset,
            "field": what.field,
            "rule": what.rule,
            "action": action,
            "message": what.message,
            "excerpt": excerpt(row.raw),
        }
        self._pending.append(_line(item))
        if len(self._pending) >= _FLUSH_ITEMS:
            self._flush()

    def _flush(self) -> None:
        self._file.writelines(self._pending)
        self._pending = []

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._file.close()

    @property
    def counts(self) -> dict[str, int]:
        """As the API shows them; truncation is counted per run, which knows the model."""
        kept, repaired, dropped = self.kept, self.repaired, self.dropped
        return {"kept": kept, "repaired": repaired, "truncated": 0, "dropped": dropped}


def _line(item: dict[str, Any]) -> bytes:
    for key in ("field", "message"):  # they may quote the file
        if item[key] is not None:
            item[key] = item[key].encode("utf-8", "backslashreplace").decode()
    return orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE)
