"""What became of every row: exact counts, and an item for each that was not simply kept."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import orjson

from backend.datasets.rows import Repair, RowError, UnreadableFile, excerpt
from backend.datasets.versions.names import REPORT_FILE

# A file of a million broken lines must not fill the disk with their descriptions; counts go on.
MAX_ITEMS = 100_000

Action = Literal["repaired", "dropped"]


@dataclass(slots=True)
class Findings:
    """Counts and items of some rows; `kept + repaired + dropped` is the number of these rows."""

    kept: int = 0
    repaired: int = 0
    dropped: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    items: list[bytes] = field(default_factory=list)

    def drop(self, line: int, byte_offset: int | None, raw: bytes | str, error: RowError) -> None:
        """The row is left out because of `error`."""
        self.dropped += 1
        self.note(line, byte_offset, raw, error, "dropped")

    def repair(
        self, line: int, byte_offset: int | None, raw: bytes | str, repairs: list[Repair]
    ) -> None:
        """The row is used with these changes; one item for each kind of change."""
        self.repaired += 1
        for one in {repair.rule: repair for repair in repairs}.values():
            self.note(line, byte_offset, raw, one, "repaired")

    def note(
        self,
        line: int,
        byte_offset: int | None,
        raw: bytes | str,
        what: Repair | RowError,
        action: Action,
    ) -> None:
        """An item without a row that is counted."""
        self.rules[what.rule] += 1
        if len(self.items) >= MAX_ITEMS:
            return
        item = {
            "line": line,
            "byte_offset": byte_offset,
            "field": _shown(what.field),
            "rule": what.rule,
            "action": action,
            "message": _shown(what.message),
            "excerpt": excerpt(raw),
        }
        self.items.append(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE))


def _shown(text: str | None) -> str | None:
    """Text that may quote the file, as text that can be stored."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


class ReportWriter:
    """Adds up what was found in each part of the file."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / REPORT_FILE).open("wb")
        self._items = 0
        self._total = Findings()

    @property
    def total(self) -> Findings:
        """Counts of all rows so far; its items are in the file."""
        return self._total

    def add(self, found: Findings) -> None:
        """Take over what was found in the rows that follow."""
        total = self._total
        total.kept += found.kept
        total.repaired += found.repaired
        total.dropped += found.dropped
        total.rules.update(found.rules)
        items = found.items[: MAX_ITEMS - self._items]
        self._items += len(items)
        self._file.writelines(items)

    def unreadable(self, error: UnreadableFile) -> None:
        """The file broke here; nothing of what came before it is imported after all."""
        self._total.kept = self._total.repaired = self._total.dropped = 0
        broken = Findings()
        reason = RowError(error.code, None, error.message)
        broken.note(error.line or 1, error.byte_offset or 0, error.excerpt, reason, "dropped")
        self.add(broken)

    def close(self) -> None:
        """Write what is left."""
        self._file.close()

    @property
    def counts(self) -> dict[str, int]:
        """As the API shows them; truncation is counted per run, which knows the model."""
        kept, repaired, dropped = self._total.kept, self._total.repaired, self._total.dropped
        return {"kept": kept, "repaired": repaired, "truncated": 0, "dropped": dropped}
