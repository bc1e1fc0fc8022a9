"""Sessions: opaque, server-side, ended by deletion.

Idle for seven days or thirty days old, a session is over. Times are the database's.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.tables import SignInRow, UserRow

IDLE = timedelta(days=7)
LIFETIME = timedelta(days=30)
TOUCH_EVERY = timedelta(minutes=1)  # a write per request would be waste


def _hash(secret: str) -> str:
    # A fast hash is right: the secret has 256 random bits, nobody can guess through it.
    return hashlib.sha256(secret.encode()).hexdigest()


async def start(session: AsyncSession, user: UserRow, user_agent: str) -> tuple[SignInRow, str]:
    """A new session of `user`; returns the row and the secret for the cookie, told only once."""
    secret = secrets.token_urlsafe(32)
    now = await session.scalar(select(func.now()))
    assert now is not None
    row = SignInRow(
        user_id=user.id,
        secret_hash=_hash(secret),
        expires_at=now + LIFETIME,
        user_agent=user_agent[:200],
    )
    session.add(row)
    await session.execute(delete(SignInRow).where(SignInRow.expires_at < func.now()))
    await session.flush()
    return row, secret


def _alive() -> Select[UserRow, SignInRow, bool]:
    stale = SignInRow.last_seen_at < func.now() - TOUCH_EVERY
    return (
        select(UserRow, SignInRow, stale)
        .join(SignInRow, SignInRow.user_id == UserRow.id)
        .where(
            UserRow.disabled_at.is_(None),
            SignInRow.expires_at > func.now(),
            SignInRow.last_seen_at > func.now() - IDLE,
        )
    )


async def _find(
    session: AsyncSession, *conditions: ColumnElement[Any]
) -> tuple[UserRow, SignInRow] | None:
    row = (await session.execute(_alive().where(*conditions))).one_or_none()
    if row is None:
        return None
    user, sign_in, stale = row
    if stale:
        await session.execute(
            update(SignInRow).where(SignInRow.id == sign_in.id).values(last_seen_at=func.now())
        )
    return user, sign_in


async def find_by_secret(session: AsyncSession, secret: str) -> tuple[UserRow, SignInRow] | None:
    """The live session of a cookie, or None."""
    return await _find(session, SignInRow.secret_hash == _hash(secret))


async def find_by_id(
    session: AsyncSession, sign_in_id: UUID, user_id: UUID
) -> tuple[UserRow, SignInRow] | None:
    """The live session that an access token is bound to, or None."""
    return await _find(session, SignInRow.id == sign_in_id, UserRow.id == user_id)


async def end(session: AsyncSession, sign_in_id: UUID) -> None:
    """Sign out: the cookie and every access token of this session stop working now."""
    await session.execute(delete(SignInRow).where(SignInRow.id == sign_in_id))


async def end_all(session: AsyncSession, user_id: UUID) -> None:
    """Sign a user out everywhere: after a new password, a new role, or when disabled."""
    await session.execute(delete(SignInRow).where(SignInRow.user_id == user_id))
