"""Numbers about the rows, gathered in one pass with memory that does not grow with the file."""

from bisect import bisect_right
from collections import Counter
from typing import Any

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


class _Field:
    """One column of the file."""

    __slots__ = ("characters", "examples", "longest", "measured", "missing", "shortest", "types")

    def __init__(self) -> None:
        self.types: dict[type, int] = {}
        self.missing = self.measured = self.characters = self.longest = 0
        self.shortest: int | None = None
        self.examples: list[str] = []

    def add(self, value: Any) -> None:
        kind = type(value)
        self.types[kind] = self.types.get(kind, 0) + 1
        if kind is str or kind is list or kind is dict:
            size = len(value)
            if size == 0:
                self.missing += 1
                return
            self.measured += 1
            self.characters += size
            if self.shortest is None or size < self.shortest:
                self.shortest = size
            if size > self.longest:
                self.longest = size
        elif value is None:
            self.missing += 1
            return
        if len(self.examples) < EXAMPLES and kind is not list and kind is not dict:
            self._add_example(str(value))

    def _add_example(self, text: str) -> None:
        text = text.encode("utf-8", "replace").decode()
        short = text if len(text) <= EXAMPLE_CHARACTERS else text[:EXAMPLE_CHARACTERS] + "…"
        if short not in self.examples:
            self.examples.append(short)

    def summary(self, name: str, rows: int) -> dict[str, Any]:
        return {
            "name": name,
            "types": {_TYPES.get(kind, "string"): count for kind, count in self.types.items()},
            "missing": self.missing + rows - sum(self.types.values()),
            "min_length": self.shortest,
            "mean_length": round(self.characters / self.measured, 1) if self.measured else None,
            "max_length": self.longest if self.measured else None,
            "examples": self.examples,
        }


class Statistics:
    """`add_row` for every row that could be read, `add_record` for every one that is used."""

    def __init__(self) -> None:
        self._fields: dict[str, _Field] = {}
        self._rows = 0
        self._turns: Counter[int] = Counter()
        self._roles: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._lengths = [0] * len(EDGES)
        self._characters = 0

    @property
    def columns(self) -> list[str]:
        """The columns seen so far, in the order in which they came."""
        return list(self._fields)

    def add_row(self, fields: dict[str, Any]) -> None:
        """Count a row as the file has it."""
        self._rows += 1
        known = self._fields
        for name, value in fields.items():
            field = known.get(name)
            if field is None:
                if len(known) >= MAX_FIELDS:
                    continue
                field = known[name] = _Field()
            field.add(value)

    def add_record(self, record: dict[str, Any]) -> None:
        """Count a canonical record."""
        size = len(record.get("text") or "")
        messages = record.get("messages")
        if messages:
            self._turns[len(messages)] += 1
            for message in messages:
                self._roles[message["role"]] += 1
                size += len(message["content"])
        for name in ("chosen", "rejected"):
            size += sum(len(message["content"]) for message in record.get(name) or ())
        label = record.get("label")
        if label is not None:
            self._add_label(label)
        self._characters += size
        self._lengths[bisect_right(EDGES, size) - 1] += 1

    def _add_label(self, label: Any) -> None:
        for one in label if isinstance(label, list) else [label]:
            name = str(one).lower() if isinstance(one, bool) else str(one)
            if name in self._labels or len(self._labels) < MAX_LABELS:
                self._labels[name] += 1

    def summary(self) -> dict[str, Any]:
        """In the shape of the API's `DatasetStatistics`."""
        used = [n for n, count in enumerate(self._lengths) if count]
        bins = range(used[0], used[-1] + 1) if used else range(0)
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
                for n in bins
            ],
            "labels": [{"label": k, "count": v} for k, v in self._labels.most_common()],
            "roles": dict(self._roles),
            "characters": self._characters,
        }
