"""Tables of tasks: what was asked for, and the wizard's drafts. How it goes stands in the job."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.database import Base, Keyed


class TaskRow(Keyed, Base):
    """A fine-tuning as its owner asked for it; status, progress and error are its job's.

    Model and data set are kept by id and name without foreign keys, so that a task stays
    readable after they are gone; their rooms refuse to delete what a live task needs.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        # Names of results become folder names: two that differ only in case would collide.
        Index("uq_tasks_output_name", "owner_id", text("lower(output_name)"), unique=True),
        Index("ix_tasks_owner_id", "owner_id", "id"),
        Index("ix_tasks_tags", "tags", postgresql_using="gin"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), unique=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id", ondelete="SET NULL"))

    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    intent: Mapped[str] = mapped_column(String(200))
    objective: Mapped[str] = mapped_column(String(32))
    method: Mapped[str] = mapped_column(String(32))
    device: Mapped[str] = mapped_column(String(16))
    hyperparameters: Mapped[dict[str, Any]]
    output_name: Mapped[str] = mapped_column(String(100))
    # The user's own marks, in the order in which they were given.
    tags: Mapped[list[str]] = mapped_column(
        ARRAY(String(50)), default=list, server_default=text("'{}'")
    )

    model_id: Mapped[UUID]
    model_name: Mapped[str]
    dataset_id: Mapped[UUID]
    dataset_name: Mapped[str]
    # Which rows of it; null for all of the version that was the newest.
    dataset_version: Mapped[int | None]
    dataset_split: Mapped[str | None] = mapped_column(String(64))
    validation_dataset_id: Mapped[UUID | None]
    validation_dataset_name: Mapped[str | None]
    validation_version: Mapped[int | None]
    validation_split: Mapped[str | None] = mapped_column(String(64))

    # It is started although it may not fit into this host's memory.
    accept_memory_risk: Mapped[bool] = mapped_column(default=False, server_default=text("false"))

    # What was expected when it was created, to be compared with what happened.
    estimate: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # {tokens_per_s, peak_memory_bytes, duration_s, device, dtype} of the last completed run.
    measured: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ExportRow(Keyed, Base):
    """A result of a task in another format; how it goes stands in its job.

    The files lie in the output folder of the job's newest run. `attempt` is the task's that was
    exported.
    """

    __tablename__ = "task_exports"
    __table_args__ = (Index("ix_task_exports_task_id", "task_id", "id"),)

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    # With the job goes the export: without its run there is nothing to fetch.
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), unique=True)
    attempt: Mapped[int]
    format: Mapped[str] = mapped_column(String(32))
    max_shard_bytes: Mapped[int | None] = mapped_column(BigInteger)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    # ExportChecks of the contract, once it is complete.
    checks: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class DraftRow(Keyed, Base):
    """What the wizard holds, valid or not; forgotten 30 days after the last change."""

    __tablename__ = "task_drafts"
    __table_args__ = (Index("ix_task_drafts_owner_id", "owner_id"),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    values: Mapped[dict[str, Any]]
    step: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ListViewRow(Keyed, Base):
    """A view of the list of tasks that a user has named: filters, order and columns.

    `query` is the address's part after the question mark; only the browser app reads it.
    """

    __tablename__ = "task_list_views"
    __table_args__ = (
        Index("uq_task_list_views_name", "owner_id", text("lower(name)"), unique=True),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(Text)
