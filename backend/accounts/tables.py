"""Tables of accounts: users, their sessions, and how often signing in failed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.accounts.schemas import Role
from backend.database import Base, Keyed

_ROLES = ", ".join(f"'{role.value}'" for role in Role)


class UserRow(Keyed, Base):
    """A person who may sign in. `username` is stored in lower case."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint(f"role IN ({_ROLES})", name="role"),)

    username: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    disabled_at: Mapped[datetime | None]


class SignInRow(Keyed, Base):
    """One sign-in of one browser or program; ends by deletion, so that ending is immediate.

    Only the hash of the cookie's secret is kept: a stolen database opens no session.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_user_id", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(unique=True)
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    user_agent: Mapped[str]


class SignInLimitRow(Base):
    """Failed sign-ins of one account or one address (`account:NAME`, `address:IP`).

    In the database, so that a restart or a second process does not forget them.
    """

    __tablename__ = "sign_in_limits"

    subject: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_failure_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]
