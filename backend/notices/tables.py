"""Tables of notices: what happened, where it is to be told, and how each telling goes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.database import Base, Keyed, one_of
from backend.notices.kinds import DeliveryState, Language, Level, NoticeKind, SubjectType


class NoticeRow(Keyed, Base):
    """Something that happened, written in the transaction that made it happen.

    The subject is kept by id and name without a foreign key, so that a notice stays readable
    after it is gone.
    """

    __tablename__ = "notices"
    __table_args__ = (
        one_of("kind", NoticeKind),
        one_of("level", Level),
        one_of("subject_type", SubjectType),
        Index("ix_notices_owner_id", "owner_id", "id", postgresql_where=text("in_app")),
        Index(
            "ix_notices_unread",
            "owner_id",
            postgresql_where=text("in_app AND read_at IS NULL"),
        ),
        Index("ix_notices_created_at", "created_at"),
    )

    # Whom it concerns; null for nobody in particular.
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(16))
    subject_type: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[UUID]
    subject_name: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]]
    # What must happen once only, named by whoever announces it.
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    # Its owner wanted to see this kind when it happened.
    in_app: Mapped[bool]
    read_at: Mapped[datetime | None]


class NoticePreferenceRow(Base):
    """Which kinds a user does not want to see; without a row they see all."""

    __tablename__ = "notice_preferences"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    muted: Mapped[list[str]]


class NoticeTargetRow(Keyed, Base):
    """Where messages are sent. The address holds secrets: it is sealed and never shown again."""

    __tablename__ = "notice_targets"
    __table_args__ = (one_of("language", Language),)
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 (SQLAlchemy declares it plain)

    name: Mapped[str] = mapped_column(String(100))
    service: Mapped[str] = mapped_column(String(32))
    address_sealed: Mapped[str] = mapped_column(Text)
    # What may be shown of it.
    address_shown: Mapped[str] = mapped_column(String(300))
    # Webhooks only: what their messages are signed with.
    signing_sealed: Mapped[str | None] = mapped_column(Text)
    kinds: Mapped[list[str]]
    language: Mapped[str] = mapped_column(String(16))
    enabled: Mapped[bool]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class NoticeDeliveryRow(Keyed, Base):
    """One notice for one target; its id is what the receiver tells repetitions by."""

    __tablename__ = "notice_deliveries"
    __table_args__ = (
        one_of("state", DeliveryState),
        CheckConstraint("attempts >= 0", name="attempts_counted"),
        Index("uq_notice_deliveries_notice_id_target_id", "notice_id", "target_id", unique=True),
        Index("ix_notice_deliveries_target_id", "target_id", "id"),
        Index("ix_notice_deliveries_due_at", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"))
    target_id: Mapped[UUID] = mapped_column(ForeignKey("notice_targets.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16), server_default=DeliveryState.WAITING.value)
    attempts: Mapped[int] = mapped_column(server_default="0")
    # When it is tried next; while it is being sent, when another process may take it.
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    tried_at: Mapped[datetime | None]
    # {code, params} of the last try that did not succeed.
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
