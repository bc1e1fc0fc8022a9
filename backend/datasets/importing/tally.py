"""Numbers about the rows, gathered batch by batch with memory that does not grow with the file.

A batch is counted column by column, because loops in C over many values are several times faster
than a look at each value of each row.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, cast

from backend.datasets.importing.shapes import Judged, Record, Talk, Words

MAX_FIELDS = 100
MAX_LABELS = 200
EXAMPLES = 3
EXAMPLE_CHARACTERS = 80
# Half octaves: 0, 16, 23, 32, 45, 64 … characters.
EDGES = [0, *(round(16 * 2 ** (n / 2)) for n in range(40))]
_TYPES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_SIZED = (str, list, dict)
_ABSENT = object()


class Field:
    """One column of the file."""

    __slots__ = ("characters", "empty", "examples", "longest", "measured", "shortest", "types")

    def __init__(self) -> None:
        self.types: Counter[type] = Counter()
        self.empty = self.measured = self.characters = self.longest = 0
        self.shortest: int | None = None
        self.examples: list[str] = []

    def add(self, values: Sequence[Any]) -> None:
        """Count the values of the rows that have this column."""
        types = Counter(map(type, values))
        self.types.update(types)
        sized = values if len(types) == 1 else [v for v in values if type(v) in _SIZED]
        if any(kind in types for kind in _SIZED):
            self._measure([size for size in map(len, sized) if size], len(sized))
        if len(self.examples) < EXAMPLES:
            self._show(values)

    def _measure(self, sizes: list[int], values: int) -> None:
        self.empty += values - len(sizes)
        if not sizes:
            return
        self.measured += len(sizes)
        self.characters += sum(sizes)
        shortest = min(sizes)
        self.shortest = shortest if self.shortest is None else min(self.shortest, shortest)
        self.longest = max(self.longest, max(sizes))

    def _show(self, values: Iterable[Any]) -> None:
        for value in values:
            if len(self.examples) == EXAMPLES:
                return
            if value is not None and value != "" and type(value) not in (list, dict):
                self._show_one(str(value))

    def _show_one(self, text: str) -> None:
        text = text.encode("utf-8", "replace").decode()
        short = text if len(text) <= EXAMPLE_CHARACTERS else text[:EXAMPLE_CHARACTERS] + "…"
        if short not in self.examples:
            self.examples.append(short)

    def merge(self, later: "Field") -> None:
        """Take over what was counted in rows further down."""
        self.types.update(later.types)
        self.empty += later.empty
        self.measured += later.measured
        self.characters += later.characters
        self.longest = max(self.longest, later.longest)
        known = [size for size in (self.shortest, later.shortest) if size is not None]
        self.shortest = min(known) if known else None
        new = [text for text in later.examples if text not in self.examples]
        self.examples = [*self.examples, *new][:EXAMPLES]

    def summary(self, name: str, rows: int) -> dict[str, Any]:
        """In the shape of the API's `FieldSummary`."""
        null = self.types[type(None)]
        return {
            "name": name,
            "types": {_TYPES.get(kind, "string"): count for kind, count in self.types.items()},
            "missing": self.empty + null + rows - self.types.total(),
            "min_length": self.shortest,
            "mean_length": round(self.characters / self.measured, 1) if self.measured else None,
            "max_length": self.longest if self.measured else None,
            "examples": self.examples,
        }


def _size(record: dict[str, Any]) -> int:
    """Characters of a canonical record."""
    size = len(record.get("text") or "")
    for name in ("messages", "chosen", "rejected"):
        for message in record.get(name) or ():
            size += len(message["content"])
    return size


class Tally:
    """`add_rows` for the rows that could be read, `add_records` for those that are used."""

    def __init__(self, columns: Iterable[str] = ()) -> None:
        """`columns` are those whose order is known before rows are counted."""
        self._fields = {name: Field() for name in islice(columns, MAX_FIELDS)}
        self._rows = 0
        self._turns: Counter[int] = Counter()
        self._roles: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._lengths: Counter[int] = Counter()
        self._characters = 0

    @property
    def columns(self) -> list[str]:
        """The columns seen so far, in the order in which they came."""
        return list(self._fields)

    def add_rows(self, rows: Sequence[dict[str, Any]]) -> None:
        """Count rows as the file has them."""
        columns = {}
        for name in dict.fromkeys(chain.from_iterable(rows)):
            values = [row.get(name, _ABSENT) for row in rows]
            columns[name] = [v for v in values if v is not _ABSENT]
        self.add_columns(columns, len(rows))

    def add_columns(self, columns: Mapping[str, Sequence[Any]], rows: int) -> None:
        """The same for rows that are there column by column, without what rows lack."""
        self._rows += rows
        for name, values in columns.items():
            if values and (field := self._field(name)) is not None:
                field.add(values)

    def _field(self, name: str) -> Field | None:
        field = self._fields.get(name)
        if field is None and len(self._fields) < MAX_FIELDS:
            field = self._fields[name] = Field()
        return field

    def add_records(self, records: Sequence[dict[str, Any]]) -> None:
        """Count canonical records."""
        self._add_sizes([_size(record) for record in records])
        talks = [messages for record in records if (messages := record.get("messages"))]
        self._turns.update(map(len, talks))
        self._roles.update([message["role"] for messages in talks for message in messages])
        for record in records:
            if (label := record.get("label")) is not None:
                self._add_label(label, 1)

    def add_plain(self, records: Sequence[Record]) -> None:
        """The same for records of one kind that compiled code has read."""
        if isinstance(records[0], Talk):
            talks = [record.messages for record in cast(Sequence[Talk], records)]
            self._add_sizes([sum([len(turn.content) for turn in turns]) for turns in talks])
            self._turns.update(map(len, talks))
            self._roles.update([turn.role for turns in talks for turn in turns])
            return
        self._add_sizes([len(record.text) for record in cast(Sequence[Words | Judged], records)])
        if isinstance(records[0], Judged):
            for label, count in Counter(cast(Judged, each).label for each in records).items():
                self._add_label(label, count)

    def _add_sizes(self, sizes: list[int]) -> None:
        self._characters += sum(sizes)
        self._lengths.update([bisect_right(EDGES, size) - 1 for size in sizes])

    def _add_label(self, label: Any, count: int) -> None:
        for one in label if isinstance(label, list) else [label]:
            name = str(one).lower() if isinstance(one, bool) else str(one)
            if name in self._labels or len(self._labels) < MAX_LABELS:
                self._labels[name] += count

    def merge(self, later: "Tally") -> None:
        """Take over what was counted in rows further down."""
        self._rows += later._rows
        for name, found in later._fields.items():
            if (field := self._field(name)) is not None:
                field.merge(found)
        self._turns.update(later._turns)
        self._roles.update(later._roles)
        self._lengths.update(later._lengths)
        self._characters += later._characters
        for label, count in later._labels.items():
            self._add_label(label, count)

    def summary(self) -> dict[str, Any]:
        """In the shape of the API's `DatasetStatistics`."""
        used = sorted(self._lengths)
        last = len(EDGES) - 1
        return {
            "fields": [field.summary(name, self._rows) for name, field in self._fields.items()],
            "num_turns": {str(turns): count for turns, count in sorted(self._turns.items())},
            "lengths": [
                {
                    "low": EDGES[n],
                    "high": EDGES[n + 1] if n < last else 2 * EDGES[n],
                    "count": self._lengths[n],
                }
                for n in (range(used[0], used[-1] + 1) if used else ())
            ],
            "labels": [{"label": k, "count": v} for k, v in self._labels.most_common()],
            "roles": dict(self._roles),
            "characters": self._characters,
        }
