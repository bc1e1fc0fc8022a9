"""Finding data sets: every query that depends on who asks is here."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend import pagination
from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.datasets.schemas import DatasetStatus, DatasetUse, SameAs
from backend.datasets.tables import DatasetRow, DatasetUseRow
from backend.errors import NotFound
from backend.fragments import version_of
from backend.jobs import subjects
from backend.jobs.schemas import TERMINAL
from backend.jobs.tables import JobRow

IMPORT = "import_dataset"
FETCH = "fetch_dataset"
PREPARE = "prepare_dataset"
# What makes the first rows of a data set; until then it is `importing`.
ARRIVING = (IMPORT, FETCH, PREPARE)


class DatasetNotFound(NotFound):
    """This data set does not exist (any more), or it is not yours."""


async def find(
    session: AsyncSession,
    user: UserRow,
    dataset_id: UUID,
    action: Action = Action.READ,
    *,
    lock: bool = False,
) -> DatasetRow:
    """The data set, when `user` may do `action` to it; raises `DatasetNotFound`, `Forbidden`."""
    query = policy.visible(
        select(DatasetRow).where(DatasetRow.id == dataset_id), user, DatasetRow.owner_id
    )
    row: DatasetRow | None = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise DatasetNotFound
    policy.require(user, action, row.owner_id)
    return row


class Listed(NamedTuple):
    """A data set that is to be shown, in the version that its row has."""

    id: UUID
    status: DatasetStatus
    version: int
    is_moving: bool


LISTED: tuple[Any, ...] = (
    DatasetRow.id,
    DatasetRow.status,
    version_of(DatasetRow),
    (DatasetRow.status == DatasetStatus.IMPORTING) | DatasetRow.preparation.is_not(None),
)


async def page(
    session: AsyncSession,
    user: UserRow,
    *,
    limit: int,
    cursor: str | None,
    q: str | None,
    status: DatasetStatus | None,
) -> list[Listed]:
    """Newest first; one more than `limit` when there is another page."""
    query: Select[Any] = policy.visible(select(*LISTED), user, DatasetRow.owner_id)
    if status is not None:
        query = query.where(DatasetRow.status == status)
    if q:
        # `contains` with autoescape: % and _ are letters here.
        query = query.where(
            or_(
                *(
                    func.lower(column).contains(q.lower(), autoescape=True)
                    for column in (DatasetRow.name, DatasetRow.description, DatasetRow.filename)
                )
            )
        )
    found = await session.execute(pagination.after(query, DatasetRow.id, cursor, limit))
    return [Listed(*line) for line in found]


async def uses(session: AsyncSession, dataset_ids: Sequence[UUID]) -> dict[UUID, list[DatasetUse]]:
    """The tasks that train or were trained on each, newest first."""
    edge = DatasetUseRow
    columns = {"version": edge.version}
    return await subjects.uses(session, edge, edge.dataset_id, dataset_ids, DatasetUse, columns)


async def newest_uses(
    session: AsyncSession, dataset_ids: Sequence[UUID]
) -> dict[UUID, subjects.NewestUses]:
    """As `uses`, as many as are shown, and how many there are."""
    edge = DatasetUseRow
    columns = {"version": edge.version}
    return await subjects.newest_uses(session, edge, edge.dataset_id, dataset_ids, columns)


async def find_many(session: AsyncSession, dataset_ids: Sequence[UUID]) -> list[DatasetRow]:
    """Data sets by id, whoever asks: the ids must come from a query that depends on that."""
    return list(await session.scalars(select(DatasetRow).where(DatasetRow.id.in_(dataset_ids))))


async def is_being_read(session: AsyncSession, dataset_id: UUID, version: int) -> bool:
    """Whether a preparation that has not ended takes rows from this version."""
    read = [{"dataset_id": str(dataset_id), "version": version}]
    query = select(JobRow.id).where(
        JobRow.kind == PREPARE,
        JobRow.status.not_in(TERMINAL),
        JobRow.spec["reads"].contains(read),
    )
    return await session.scalar(query.limit(1)) is not None


async def same_as(session: AsyncSession, dataset_ids: Sequence[UUID]) -> dict[UUID, SameAs]:
    """For each made of bytes that its owner had stored before, read in the same way: the first
    data set made of them."""
    row, first = DatasetRow, aliased(DatasetRow)
    found = await session.execute(
        select(row.id, first.id, first.name)
        .join(
            first,
            (first.owner_id == row.owner_id)
            & (first.upload_sha256 == row.upload_sha256)
            & (first.id < row.id)
            & first.mapping.is_not_distinct_from(row.mapping)
            & first.options.is_not_distinct_from(row.options)
            & first.entry.is_not_distinct_from(row.entry),
        )
        .where(row.id.in_(dataset_ids), row.upload_sha256 != "")
        .ext(distinct_on(row.id))
        .order_by(row.id, first.id)
    )
    return {this: SameAs(id=other, name=name) for this, other, name in found}
