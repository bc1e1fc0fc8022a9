"""Which rows somebody means: a data set, one of its versions, perhaps one split of that."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow, DatasetVersionRow
from backend.errors import NotFound

TRAIN, VALIDATION = "train", "validation"
# Where nothing is said: the whole version, however it is divided.
ALL_ROWS = ""


class NoSuchSplit(NotFound):
    """This version has no part “{split}”. Choose another part, or all rows."""


@dataclass(frozen=True)
class ChosenRows:
    """Rows to train on or to measure with.

    `missing` tells what was asked for and is not there; the other values then are those of the
    data set.
    """

    id: UUID
    name: str
    version: int
    status: DatasetStatus
    record_type: str | None
    num_rows: int | None
    sha256: str | None
    split: str | None = None
    splits: tuple[str, ...] = ()
    missing: Literal["version", "split"] | None = None

    def has_all_of(self, other: "ChosenRows") -> bool:
        """Whether each row of `other` is one of these, whatever it says."""
        same = self.id == other.id and self.version == other.version
        return same and self.split in (None, other.split)


async def choose(
    session: AsyncSession,
    row: DatasetRow,
    version: int | None = None,
    split: str | None = None,
    usual_split: str = TRAIN,
) -> ChosenRows:
    """What of `row` is meant; without a version the newest, without a split `usual_split` of a
    version that is divided, and all of one that is not."""
    number = row.version if version is None else version
    found = await session.get(DatasetVersionRow, (row.id, number))
    newest = number == row.version
    source: DatasetRow | DatasetVersionRow | None = row if newest else found
    if source is None:
        return _chosen(row, row, missing="version")
    splits: dict[str, Any] = found.splits if found is not None else {}
    wanted = split if split is not None else usual_split if usual_split in splits else None
    if wanted is None:
        return _chosen(row, source, splits=tuple(splits))
    if wanted not in splits:
        return _chosen(row, source, splits=tuple(splits), split=wanted, missing="split")
    return _chosen(row, source, splits=tuple(splits), split=wanted, **splits[wanted])


def _chosen(row: DatasetRow, source: DatasetRow | DatasetVersionRow, **values: Any) -> ChosenRows:
    facts: dict[str, Any] = {
        "version": source.version,
        "status": DatasetStatus(source.status),
        "record_type": source.record_type,
        "num_rows": source.num_rows,
        "sha256": source.sha256,
    }
    return ChosenRows(id=row.id, name=row.name, **{**facts, **values})
