"""Sessions: opaque, server-side, ended by deletion.

Idle for seven days or thirty days old, a session is over. Times are the database's. Every request
asks here who it is from, and the answer is never remembered: what ends has ended.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from backend.accounts.tables import SignInRow, UserRow
from backend.database import fetch_row

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


class LiveSignIn(NamedTuple):
    """Whose live session it is; the user belongs to no database session. `stale`: see `touch`."""

    user: UserRow
    sign_in_id: UUID
    stale: bool


# By hand, because it is half of what a short request costs.
_COLUMNS = ("id", "username", "role", "password_hash", "disabled_at", "created_at")
_ALIVE = f"""
    SELECT {", ".join(f"u.{name}" for name in _COLUMNS)}, s.id AS sign_in_id,
           s.last_seen_at < now() - $2::interval AS stale
    FROM sign_ins s JOIN users u ON u.id = s.user_id
    WHERE u.disabled_at IS NULL AND s.expires_at > now() AND s.last_seen_at > now() - $3::interval
"""  # noqa: S608 - all constants
_OF_SECRET = f"{_ALIVE} AND s.secret_hash = $1"
_OF_TOKEN = f"{_ALIVE} AND s.id = $1 AND u.id = $4"


async def _find(engine: AsyncEngine, query: str, first: object, *rest: object) -> LiveSignIn | None:
    row = await fetch_row(engine, query, first, TOUCH_EVERY, IDLE, *rest)
    if row is None:
        return None
    user = UserRow(**{name: row[name] for name in _COLUMNS})
    return LiveSignIn(user, row["sign_in_id"], row["stale"])


async def find_by_secret(engine: AsyncEngine, secret: str) -> LiveSignIn | None:
    """The live session of a cookie, or None."""
    return await _find(engine, _OF_SECRET, _hash(secret))


async def find_by_id(engine: AsyncEngine, sign_in_id: UUID, user_id: UUID) -> LiveSignIn | None:
    """The live session that an access token is bound to, or None."""
    return await _find(engine, _OF_TOKEN, sign_in_id, user_id)


async def touch(session: AsyncSession, sign_in_id: UUID) -> None:
    """It was used just now; said when the last time is more than `TOUCH_EVERY` ago.

    A page asks many things at once; all but one of those find the row taken and let it be.
    """
    row = SignInRow
    free = select(row.id).where(row.id == sign_in_id).with_for_update(skip_locked=True)
    await session.execute(update(row).where(row.id.in_(free)).values(last_seen_at=func.now()))


async def end(session: AsyncSession, sign_in_id: UUID) -> None:
    """Sign out: the cookie and every access token of this session stop working now."""
    await session.execute(delete(SignInRow).where(SignInRow.id == sign_in_id))


async def end_all(session: AsyncSession, user_id: UUID) -> None:
    """Sign a user out everywhere: after a new password, a new role, or when disabled."""
    await session.execute(delete(SignInRow).where(SignInRow.user_id == user_id))
