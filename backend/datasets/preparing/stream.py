"""Rows on their way through the steps, some hundred at a time, and the versions they come from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from backend.datasets.preparing import told
from backend.datasets.preparing.told import Told
from backend.datasets.versions.names import RECORDS_FILE
from backend.datasets.versions.upgrade import upgrade

ELSEWHERE = -1
_COLUMNS = ("record", "line", "extra", "split")


class NotPossible(Exception):
    """The steps can not be done with these rows; `hint` is the next step of the user.

    `code` and `params` say the same to a browser, which has words of its own for it.
    """

    def __init__(self, code: str, message: str, hint: str, **params: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.params = code, message, hint, params


@dataclass(slots=True)
class Batch:
    """Columns of equal length: what a version stores of each row; its number in the version that
    is prepared (`ELSEWHERE` for a row of another one); whether a step had to repair it."""

    records: list[bytes] = field(default_factory=list)
    lines: list[int | None] = field(default_factory=list)
    extras: list[bytes | None] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    repaired: list[bool] = field(default_factory=list)
    _told: list[Told] | None = None

    def __len__(self) -> int:
        return len(self.records)

    def columns(self) -> tuple[list[Any], ...]:
        """All of them, in the order of the fields."""
        more = (self.splits, self.origins, self.repaired)
        return (self.records, self.lines, self.extras, *more)

    def take(self, places: Sequence[int]) -> "Batch":
        """The rows at these places, in this order."""
        if len(places) == len(self) and list(places) == list(range(len(self))):
            return self
        taken = Batch(*([column[place] for place in places] for column in self.columns()))
        if self._told is not None:
            taken._told = [self._told[place] for place in places]
        return taken

    def told(self) -> list[Told]:
        """What the records say; read once, however many steps look."""
        if self._told is None:
            self._told = told.read(self.records)
        return self._told

    def add(self, other: "Batch") -> None:
        """Append rows."""
        self._told = None
        for own, more in zip(self.columns(), other.columns(), strict=True):
            own.extend(more)

    @property
    def size_bytes(self) -> int:
        """Of the records and of what is beside them."""
        return sum(map(len, self.records)) + sum(len(each) for each in self.extras if each)


Stream = Iterable[Batch]
Tick = Callable[[int], None]


class Kept(Protocol):
    """Rows that can be read again and again."""

    num_rows: int
    size_bytes: int

    def __iter__(self) -> Iterator[Batch]: ...


class Stored:
    """The rows of a version, or of the `groups` of its file that are named."""

    def __init__(
        self, folder: Path, tick: Tick, *, base: bool, groups: Sequence[int] | None = None
    ) -> None:
        file = folder / RECORDS_FILE
        if not file.exists():
            upgrade(folder)
        self._file = pq.ParquetFile(file)
        self._folder, self._tick, self._base = folder, tick, base
        facts = [
            self._file.metadata.row_group(n) for n in range(self._file.metadata.num_row_groups)
        ]
        self._groups = list(range(len(facts))) if groups is None else list(groups)
        self._starts = [0]
        for each in facts:
            self._starts.append(self._starts[-1] + each.num_rows)
        self.num_rows = sum(facts[n].num_rows for n in self._groups)
        self.size_bytes = sum(facts[n].total_byte_size for n in self._groups)

    def part(self, share: float) -> "Stored":
        """Some groups of its rows, spread evenly; one at least."""
        count = max(1, min(len(self._groups), round(len(self._groups) * share)))
        groups = [self._groups[n * len(self._groups) // count] for n in range(count)]
        return Stored(self._folder, self._tick, base=self._base, groups=groups)

    def __iter__(self) -> Iterator[Batch]:
        names = [name for name in _COLUMNS if name in self._file.schema_arrow.names]
        for group in self._groups:
            # A group is small: threads would cost more than they save.
            table = self._file.read_row_group(group, columns=names, use_threads=False)
            count = table.num_rows
            self._tick(count)
            start = self._starts[group]
            origins = list(range(start, start + count)) if self._base else [ELSEWHERE] * count
            yield Batch(
                _binary(table["record"]),
                table["line"].to_pylist(),
                _binary(table["extra"]),
                table["split"].to_pylist() if "split" in names else [None] * count,
                origins,
                [False] * count,
            )


def _binary(column: pa.ChunkedArray) -> list[Any]:
    """UTF-8 as bytes."""
    found: list[Any] = column.cast(pa.large_binary()).to_pylist()
    return found
