"""Lists answer `{items, next_cursor}`: newest first, stable while rows are added."""

from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from backend.errors import Refused

T = TypeVar("T")
MAX_LIMIT = 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows at most")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]


class BadCursor(Refused):
    """This cursor is not one that a list gave out; start again without it."""


class Page(BaseModel, Generic[T]):
    """One page; without `next_cursor` it is the last."""

    items: list[T]
    next_cursor: str | None = None


def after(
    query: Select[Any], key: InstrumentedAttribute[UUID], cursor: str | None, limit: int
) -> Select[Any]:
    """Newest first by a UUIDv7 key, from `cursor` on; asks for one row more than `limit`."""
    if cursor:
        try:
            query = query.where(key < UUID(cursor))
        except ValueError:
            raise BadCursor from None
    return query.order_by(key.desc()).limit(limit + 1)


def cut(rows: list[T], limit: int) -> tuple[list[T], T | None]:
    """The page, and its last row when another page follows."""
    return (rows[:limit], rows[limit - 1]) if len(rows) > limit else (rows, None)
