"""What the list of tasks offers to choose from, and the views of it that a user has named."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from backend.accounts import policy
from backend.accounts.tables import UserRow
from backend.errors import Conflict, NotFound, Refused
from backend.tasks.list_schemas import ListChoices, ListView, ListViewSave
from backend.tasks.schemas import TaskReference
from backend.tasks.tables import ListViewRow, TaskRow

MAX_VIEWS = 100
MAX_CHOICES = 500
NAME_INDEX = "uq_task_list_views_name"


class ListViewNotFound(NotFound):
    """This view does not exist (any more)."""


class ListViewNameTaken(Conflict):
    """You have a view named {name} already; choose another name."""


class TooManyListViews(Refused):
    """You have {count} views; delete one before you keep another."""


async def choices(session: AsyncSession, user: UserRow) -> ListChoices:
    """The models, data sets, owners and tags of the tasks that `user` may see."""

    async def things(
        key: InstrumentedAttribute[UUID], name: InstrumentedAttribute[str]
    ) -> list[TaskReference]:
        query = select(key, func.max(name)).group_by(key).order_by(func.max(name))
        rows = await session.execute(
            policy.visible(query, user, TaskRow.owner_id).limit(MAX_CHOICES)
        )
        return [TaskReference(id=found, name=called) for found, called in rows]

    async def texts(query: Any) -> list[str]:
        asked = policy.visible(query, user, TaskRow.owner_id)
        return list(await session.scalars(asked.limit(MAX_CHOICES)))

    tag = func.unnest(TaskRow.tags).label("tag")
    owners = select(UserRow.username).join(TaskRow, TaskRow.owner_id == UserRow.id).distinct()
    return ListChoices(
        models=await things(TaskRow.model_id, TaskRow.model_name),
        datasets=await things(TaskRow.dataset_id, TaskRow.dataset_name),
        owners=await texts(owners.order_by(UserRow.username)),
        tags=await texts(select(tag).select_from(TaskRow).distinct().order_by(tag)),
    )


async def list_all(session: AsyncSession, owner_id: UUID) -> list[ListView]:
    """The user's views by name."""
    query = select(ListViewRow).where(ListViewRow.owner_id == owner_id)
    rows = await session.scalars(query.order_by(func.lower(ListViewRow.name)))
    return [_view(row) for row in rows]


async def create(session: AsyncSession, owner_id: UUID, body: ListViewSave) -> ListView:
    """Keep a view; raises `TooManyListViews` and `ListViewNameTaken`."""
    count = await session.scalar(
        select(func.count()).select_from(ListViewRow).where(ListViewRow.owner_id == owner_id)
    )
    if (count or 0) >= MAX_VIEWS:
        raise TooManyListViews(params={"count": count})
    row = ListViewRow(owner_id=owner_id, name=body.name, query=body.query)
    session.add(row)
    await _flush(session, body.name)
    return _view(row)


async def save(
    session: AsyncSession, owner_id: UUID, view_id: UUID, body: ListViewSave
) -> ListView:
    """Rename a view, or put another one in its place."""
    row = await _find(session, owner_id, view_id)
    row.name, row.query = body.name, body.query
    await _flush(session, body.name)
    return _view(row)


async def remove(session: AsyncSession, owner_id: UUID, view_id: UUID) -> None:
    """Forget a view."""
    await session.delete(await _find(session, owner_id, view_id))
    await session.flush()


def _view(row: ListViewRow) -> ListView:
    return ListView(id=row.id, name=row.name, query=row.query)


async def _find(session: AsyncSession, owner_id: UUID, view_id: UUID) -> ListViewRow:
    row = await session.scalar(
        select(ListViewRow).where(ListViewRow.id == view_id, ListViewRow.owner_id == owner_id)
    )
    if row is None:
        raise ListViewNotFound
    return row


async def _flush(session: AsyncSession, name: str) -> None:
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        if NAME_INDEX not in str(error.orig):
            raise
        raise ListViewNameTaken(params={"name": name}) from error
