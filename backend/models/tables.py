"""Tables of base models: the model, and who uses it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.database import Base, Keyed, one_of
from backend.jobs.tables import UsedByTask
from backend.models.schemas import ModelSource, ModelStatus


class ModelRow(Keyed, Base):
    """A base model. It belongs to the installation: `added_by` says who brought it.

    Files: `models_dir / id` (the starter: `models_dir / starter`), or, for a local model, the
    folder below a configured root that `reference` names; that one is never written to.
    """

    __tablename__ = "models"
    __table_args__ = (
        # The same thing twice is the same model.
        Index(
            "uq_models_source",
            "source",
            text("lower(reference)"),
            text("coalesce(revision, '')"),
            unique=True,
        ),
        one_of("status", ModelStatus),
        one_of("source", ModelSource),
    )
    # `updated_at` comes back with the UPDATE; a lazy refresh is impossible under asyncio.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 (SQLAlchemy declares it plain)

    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(500))
    source: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(500))
    # Commit of the hub's repository; null for what has no revisions.
    revision: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(16))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    architecture: Mapped[str | None] = mapped_column(String(200))
    num_parameters: Mapped[int | None] = mapped_column(BigInteger)
    context_length: Mapped[int | None] = mapped_column(BigInteger)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    licence: Mapped[str | None] = mapped_column(String(200))
    has_chat_template: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # Of the program files that an administrator has allowed to be executed.
    trusted_code_sha256: Mapped[str | None] = mapped_column(String(64))

    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class ModelUseRow(UsedByTask, Base):
    """A task that starts from a model."""

    __tablename__ = "model_uses"
    __table_args__ = (Index("ix_model_uses_task_id", "task_id"),)

    model_id: Mapped[UUID] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True
    )
