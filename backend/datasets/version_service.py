"""Versions of a data set: how one comes into being, goes back to being the current one, and ends.

Files come first and the row follows in the transaction that publishes it; a folder without a row
is one whose commit was lost, and the next one with its number replaces it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.datasets import queries
from backend.datasets.importing.verdict import verdict
from backend.datasets.schemas import DatasetStatus, DatasetUse
from backend.datasets.tables import DatasetRow, DatasetVersionRow
from backend.errors import Conflict, NotFound
from backend.jobs import subjects

# What an import or a preparation finds out; the data set shows it of its current version.
FACTS = (
    *("format", "record_type", "num_rows", "encoding", "delimiter", "detected_because"),
    *("sha256", "columns", "counts", "rules"),
)
_KEPT = (*FACTS, "status", "mapping", "options", "max_dropped_rows")
USABLE = frozenset({DatasetStatus.READY, DatasetStatus.BLOCKED})


class DatasetBusy(Conflict):
    """A version of this data set is being made; wait until that has ended."""


class DatasetVersionNotFound(NotFound):
    """This data set has no such version (any more)."""


class DatasetVersionInUse(Conflict):
    """{count} tasks that have not ended use this version: {names}. Stop them first, or wait."""


class DatasetVersionRead(Conflict):
    """Another version is being made of this one; wait until that has ended."""


class DatasetVersionIsCurrent(Conflict):
    """This is the current version. Make another one the current one first."""


def require_rest(row: DatasetRow) -> None:
    """Raise `DatasetBusy` while an import or a preparation is under way."""
    prepared = row.preparation
    if row.status == DatasetStatus.IMPORTING or (prepared and prepared.get("error") is None):
        raise DatasetBusy


async def next_number(session: AsyncSession, row: DatasetRow) -> int:
    """The number of the version that is made next; numbers are not used twice while one lives."""
    versions = DatasetVersionRow
    query = select(func.max(versions.version)).where(versions.dataset_id == row.id)
    return (await session.scalar(query) or 0) + 1


async def publish(
    session: AsyncSession,
    row: DatasetRow,
    version: int,
    summary: dict[str, Any],
    *,
    made_by: UUID | None,
    parent: int | None = None,
    steps: Sequence[dict[str, Any]] = (),
    sources: Sequence[dict[str, Any]] = (),
) -> None:
    """Write what `import.json` says: the data set shows it, and a usable version gets its row.

    `sources` are `{dataset_id, version, name}`.
    """
    row.version = version
    row.status = DatasetStatus(summary["status"])
    row.error = summary["error"]
    for name in FACTS:
        setattr(row, name, summary[name])
    if row.status in USABLE:
        facts = {name: getattr(row, name) for name in _KEPT}
        made = DatasetVersionRow(
            dataset_id=row.id,
            version=version,
            parent=parent,
            made_by=made_by,
            steps=list(steps),
            sources=list(sources),
            splits=summary.get("splits", {}),
            **facts,
        )
        await session.merge(made)
    await session.flush()


async def mixed(session: AsyncSession, row: DatasetRow, numbers: set[int]) -> bool:
    """Whether one of these versions, or one that it was made of, took rows of another data set."""
    made = DatasetVersionRow
    query = select(made.version, made.parent, made.sources).where(made.dataset_id == row.id)
    found = {version: rest for version, *rest in await session.execute(query)}
    waiting = list(numbers)
    while waiting:
        number = waiting.pop()
        if number not in found:  # deleted: nobody knows
            return True
        parent, sources = found[number]
        # The first version of a data set that was made of another one names that one, too.
        if len(sources) > (1 if parent is None else 0):
            return True
        if parent is not None:
            waiting.append(parent)
    return False


async def go_back(session: AsyncSession, row: DatasetRow) -> bool:
    """What was under way is given up: show the version before it; False when there is none."""
    found = await session.get(DatasetVersionRow, (row.id, row.version))
    if found is not None:
        _show(row, found)
    return found is not None


def _show(row: DatasetRow, found: DatasetVersionRow) -> None:
    for name in _KEPT:
        setattr(row, name, getattr(found, name))
    row.version, row.error = found.version, None
    if found.status == DatasetStatus.BLOCKED:
        row.error = verdict(row.counts["dropped"], row.max_dropped_rows)["error"]


async def find(session: AsyncSession, row: DatasetRow, version: int) -> DatasetVersionRow:
    """A version of a data set; raises `DatasetVersionNotFound`."""
    found = await session.get(DatasetVersionRow, (row.id, version))
    if found is None:
        raise DatasetVersionNotFound
    return found


async def listed(
    session: AsyncSession, row: DatasetRow
) -> list[tuple[DatasetVersionRow, str | None, list[DatasetUse]]]:
    """All versions, newest first, with who made them and which tasks use them."""
    query = (
        select(DatasetVersionRow, UserRow.username)
        .outerjoin(UserRow, UserRow.id == DatasetVersionRow.made_by)
        .where(DatasetVersionRow.dataset_id == row.id)
        .order_by(DatasetVersionRow.version.desc())
    )
    uses = (await queries.uses(session, [row.id])).get(row.id, [])
    return [
        (version, name, [use for use in uses if use.version == version.version])
        for version, name in await session.execute(query)
    ]


async def restore(
    session: AsyncSession, user: UserRow, dataset_id: UUID, version: int
) -> DatasetRow:
    """Make a version the current one. Raises `DatasetVersionNotFound`, `DatasetBusy`."""
    row = await queries.find(session, user, dataset_id, Action.CHANGE, lock=True)
    require_rest(row)
    found = await find(session, row, version)
    _show(row, found)
    await session.flush()
    return row


async def delete(session: AsyncSession, user: UserRow, dataset_id: UUID, version: int) -> None:
    """Forget a version; its folder goes once this is committed.

    Raises `DatasetVersionIsCurrent`, `DatasetVersionInUse` while a task that has not ended uses it,
    `DatasetVersionRead` while another version is made of it.
    """
    row = await queries.find(session, user, dataset_id, Action.DELETE, lock=True)
    require_rest(row)
    found = await find(session, row, version)
    if version == row.version:
        raise DatasetVersionIsCurrent
    uses = (await queries.uses(session, [row.id])).get(row.id, [])
    users = subjects.live([use for use in uses if use.version == version])
    if users:
        raise DatasetVersionInUse(**subjects.in_use(users))
    if await queries.is_being_read(session, row.id, version):
        raise DatasetVersionRead
    await session.delete(found)
    await session.flush()
