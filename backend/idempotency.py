"""`Idempotency-Key`: a retried or doubled POST answers what the first one answered.

The key is inserted in the transaction of the work itself: either both are committed or neither,
and the primary key lets only one of two concurrent requests through.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ForeignKey, String, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.database import Base
from backend.errors import AppError, Conflict, Refused

KEPT = timedelta(hours=24)
MAX_KEY_LENGTH = 255
# How long the second of two concurrent requests waits for the first before it is sent away.
WAIT_MS = 2000
LOCK_NOT_AVAILABLE = "55P03"

T = TypeVar("T", bound=BaseModel)


class IdempotencyKeyRow(Base):
    """A key that a user has used, and the answer that it stands for."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BadIdempotencyKey(Refused):
    """An Idempotency-Key has 1 to 255 printable ASCII characters."""


class IdempotencyKeyReused(AppError):
    """This Idempotency-Key was used for another request; send a new one."""

    status = 422


class RequestInProgress(Conflict):
    """The same request is being worked on; ask again in a second."""


def fingerprint_of(operation: str, body: BaseModel | bytes | None = None) -> str:
    """What must be equal for two requests to be the same one."""
    content = body.model_dump_json().encode() if isinstance(body, BaseModel) else body or b""
    return hashlib.sha256(operation.encode() + b"\n" + content).hexdigest()


async def once(
    session: AsyncSession,
    user_id: UUID,
    key: str | None,
    fingerprint: str,
    shape: type[T],
    act: Callable[[], Awaitable[T]],
) -> T:
    """The answer of `act`, which runs once per user and key within 24 hours.

    Without a key it simply runs. Raises `IdempotencyKeyReused` for the same key with another
    fingerprint, `RequestInProgress` while the first request has not ended.
    """
    if key is None:
        return await act()
    if not (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise BadIdempotencyKey
    if not await _claim(session, user_id, key, fingerprint):
        return await _first_answer(session, user_id, key, fingerprint, shape)
    answer = await act()
    row = IdempotencyKeyRow
    await session.execute(
        update(row)
        .where(row.user_id == user_id, row.key == key)
        .values(answer=answer.model_dump(mode="json"))
    )
    return answer


async def _claim(session: AsyncSession, user_id: UUID, key: str, fingerprint: str) -> bool:
    """Whether this transaction is the first with this key; waits for a concurrent one."""
    row = IdempotencyKeyRow
    await session.execute(
        delete(row).where(row.user_id == user_id, row.created_at < func.now() - KEPT)
    )
    await session.execute(text(f"SET LOCAL lock_timeout = {WAIT_MS}"))
    try:
        claimed = await session.scalar(
            insert(row)
            .values(user_id=user_id, key=key, fingerprint=fingerprint)
            .on_conflict_do_nothing()
            .returning(row.key)
        )
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise RequestInProgress(headers={"Retry-After": "1"}) from error
        raise
    await session.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    return claimed is not None


async def _first_answer(
    session: AsyncSession, user_id: UUID, key: str, fingerprint: str, shape: type[T]
) -> T:
    row = await session.scalar(
        select(IdempotencyKeyRow).where(
            IdempotencyKeyRow.user_id == user_id, IdempotencyKeyRow.key == key
        )
    )
    if row is None:  # the first one was rolled back or expired in this very moment
        raise RequestInProgress(headers={"Retry-After": "1"})
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    return shape.model_validate(row.answer)
