"""What can be done with accounts: make the first administrator, sign in, manage users."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import limits, passwords, sign_ins
from backend.accounts.schemas import Role, Setup
from backend.accounts.setup_token import SetupToken
from backend.accounts.tables import SignInRow, UserRow
from backend.database import SessionFactory, transaction
from backend.errors import Conflict, NotFound, Unauthenticated


class BadCredentials(Unauthenticated):
    """The name or the password is not right."""


class AlreadySetUp(Conflict):
    """There is an administrator already; sign in instead."""


class UsernameTaken(Conflict):
    """There is a user named {username} already."""


class UserNotFound(NotFound):
    """There is no user named {username}."""


@dataclass(frozen=True)
class SignedIn:
    """A fresh session; `secret` goes into the cookie and is known nowhere else."""

    user: UserRow
    sign_in: SignInRow
    secret: str


async def needs_setup(session: AsyncSession) -> bool:
    """Whether there is no user yet."""
    return not await session.scalar(select(exists().where(UserRow.id.is_not(None))))


async def set_up_with_token(
    sessions: SessionFactory, token: SetupToken, given: Setup, address: str, user_agent: str
) -> SignedIn:
    """As `set_up`, for whoever knows the set-up token; guesses are limited like sign-ins."""
    caller = limits.of_address(address)
    async with transaction(sessions) as session:
        if not await needs_setup(session):
            raise AlreadySetUp
        await limits.book(session, caller)
    token.check(given.setup_token)
    async with transaction(sessions) as session:
        signed_in = await set_up(session, given.username, given.password, user_agent)
        await limits.forgive(session, limits.of_account(given.username), caller)
    token.drop()
    return signed_in


async def set_up(session: AsyncSession, username: str, password: str, user_agent: str) -> SignedIn:
    """Create the first administrator and sign them in; `AlreadySetUp` for everybody later."""
    # Two set-ups at once: the second waits here and then sees the first one's user.
    await session.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))
    if not await needs_setup(session):
        raise AlreadySetUp
    user = await add_user(session, username, password, Role.ADMINISTRATOR)
    sign_in, secret = await sign_ins.start(session, user, user_agent)
    return SignedIn(user, sign_in, secret)


async def sign_in(
    sessions: SessionFactory, username: str, password: str, address: str, user_agent: str
) -> SignedIn:
    """Check a password; `BadCredentials` whatever was wrong, `TooManySignIns` when guessing.

    Several short transactions: a failure must stay booked although the request fails.
    """
    account, caller = limits.of_account(username), limits.of_address(address)
    async with transaction(sessions) as session:
        await limits.book(session, caller)
        await limits.book(session, account)
        user = await session.scalar(
            select(UserRow).where(UserRow.username == username, UserRow.disabled_at.is_(None))
        )
    if not await passwords.verify(user.password_hash if user else None, password) or user is None:
        raise BadCredentials
    better = None
    if passwords.needs_rehash(user.password_hash):
        better = await passwords.hash_password(password)
    async with transaction(sessions) as session:
        await limits.forgive(session, account, caller)
        present = await session.get(UserRow, user.id, with_for_update=True)
        # Disabled, or given another password, while this one was being checked.
        if present is None or present.disabled_at or present.password_hash != user.password_hash:
            raise BadCredentials
        if better is not None:
            present.password_hash = better
        row, secret = await sign_ins.start(session, present, user_agent)
        return SignedIn(present, row, secret)


async def list_users(session: AsyncSession) -> list[UserRow]:
    """All users by name."""
    return list(await session.scalars(select(UserRow).order_by(UserRow.username)))


async def add_user(session: AsyncSession, username: str, password: str, role: Role) -> UserRow:
    """Create a user; `UsernameTaken`, `WeakPassword`."""
    passwords.check(password, username)
    if await session.scalar(select(exists().where(UserRow.username == username))):
        raise UsernameTaken(params={"username": username})
    user = UserRow(
        username=username, role=role, password_hash=await passwords.hash_password(password)
    )
    session.add(user)
    await session.flush()
    await session.refresh(user)
    return user


async def reset_password(session: AsyncSession, username: str, password: str) -> UserRow:
    """Set a password and sign the user out everywhere; `UserNotFound`, `WeakPassword`."""
    user = await session.scalar(select(UserRow).where(UserRow.username == username))
    if user is None:
        raise UserNotFound(params={"username": username})
    passwords.check(password, username)
    user.password_hash = await passwords.hash_password(password)
    await sign_ins.end_all(session, user.id)
    await session.flush()
    return user


async def user_names(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    """Names by id, for lists that show owners."""
    rows = await session.execute(select(UserRow.id, UserRow.username).where(UserRow.id.in_(ids)))
    return {row.id: row.username for row in rows}


async def count_users(session: AsyncSession) -> int:
    """How many users there are."""
    return await session.scalar(select(func.count()).select_from(UserRow)) or 0
