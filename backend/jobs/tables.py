"""The durable queue: one row per piece of background work, whatever its kind."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.database import Base, Keyed
from backend.jobs.schemas import THIS_HOST, JobStatus, Slot, StopMode

NOT_TERMINAL = text("status IN ('PENDING', 'PREPARING', 'RUNNING', 'STOPPING')")
LIVE = text("status IN ('PREPARING', 'RUNNING', 'STOPPING')")
PENDING = text("status = 'PENDING'")


def _names(kind: type[JobStatus] | type[Slot] | type[StopMode], name: str | None) -> Enum:
    """Text with a check instead of a PostgreSQL enum: a new name is then an ordinary migration."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=name is not None,
        name=name,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


def _json() -> JSONB:
    return JSONB(none_as_null=True)


class JobRow(Keyed, Base):
    """One job. `attempt` fences every write: a writer of an older attempt changes nothing.

    The run folder of an attempt is `runs_dir / id / attempt`; curves and logs stay there. What
    lists and decisions need is here.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        # Never two live jobs for one subject, whatever the code above does.
        Index(
            "uq_jobs_live_subject", "kind", "subject_id", unique=True, postgresql_where=NOT_TERMINAL
        ),
        # The order in which one owner's jobs are taken; `queue.py` puts the owners in line.
        Index(
            "ix_jobs_queue",
            "slot",
            "owner_id",
            text("priority DESC"),
            "queued_at",
            "id",
            postgresql_where=PENDING,
        ),
        # What an owner has started of late counts in the fair share.
        Index("ix_jobs_slot_started_at", "slot", "started_at"),
        # A slot holds one live job: more than a host has slots can not be claimed.
        Index(
            "uq_jobs_slot_index",
            "host",
            "slot",
            "slot_index",
            unique=True,
            postgresql_where=LIVE,
        ),
        Index("ix_jobs_subject_id", "subject_id"),
        CheckConstraint("attempt >= 1", name="attempt_positive"),
    )
    # `updated_at` comes back with the UPDATE; a lazy refresh is impossible under asyncio.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 (SQLAlchemy declares it plain)

    kind: Mapped[str] = mapped_column(String(64))
    status: Mapped[JobStatus] = mapped_column(
        _names(JobStatus, "status"), default=JobStatus.PENDING
    )
    attempt: Mapped[int] = mapped_column(default=1)
    spec: Mapped[dict[str, Any]]
    slot: Mapped[Slot] = mapped_column(_names(Slot, "slot"))
    # The machine whose slot it holds; of one that waits: where it ran last.
    host: Mapped[str] = mapped_column(
        String(64), default=THIS_HOST, server_default=text(f"'{THIS_HOST}'")
    )
    # Which of the host's slots it holds, from 0: the accelerator it may use.
    slot_index: Mapped[int | None]
    priority: Mapped[int] = mapped_column(default=0)
    # No foreign keys: a job outlives neither matter nor owner, and knows no feature by name.
    owner_id: Mapped[UUID | None]
    subject_id: Mapped[UUID]

    phase: Mapped[str | None] = mapped_column(String(32))
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    step: Mapped[int] = mapped_column(default=0, server_default="0")
    total_steps: Mapped[int | None]
    epoch: Mapped[float | None]
    eta_s: Mapped[float | None]
    tokens_per_s: Mapped[float | None]
    detail: Mapped[str | None] = mapped_column(Text)
    metrics: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'::jsonb")
    )
    # {name, value, step} of the lowest loss on held-out rows
    best_metric: Mapped[dict[str, Any] | None] = mapped_column(_json())
    # {code, message, hint, params}
    error: Mapped[dict[str, Any] | None] = mapped_column(_json())
    # How many attempts failed, by `FailureKind`.
    failures: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'::jsonb")
    )
    # How often it may be, and has been, queued again by itself; not before `retry_at`.
    automatic_retries: Mapped[int] = mapped_column(default=0, server_default="0")
    retries: Mapped[int] = mapped_column(default=0, server_default="0")
    retry_at: Mapped[datetime | None]

    resumable: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # This attempt continues from `checkpoint`.
    resume: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # {attempt, step, name, size_bytes, manifest_sha256, at} of the newest
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(_json())
    device: Mapped[str | None] = mapped_column(String(64))
    dtype: Mapped[str | None] = mapped_column(String(32))
    device_reason: Mapped[str | None] = mapped_column(Text)

    # Bytes of this attempt's events.jsonl that are already in this row.
    event_offset: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    peak_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    stop_requested: Mapped[StopMode | None] = mapped_column(_names(StopMode, "stop_requested"))
    # Main memory that the run is expected to need; null where that is not known.
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    # {reason, params}: why the supervisor does not start it although a slot is free.
    wait: Mapped[dict[str, Any] | None] = mapped_column(_json())
    # Its subject is deleted: row and run folders go as soon as it has ended.
    forgotten: Mapped[bool] = mapped_column(default=False, server_default=text("false"))

    # Where it stands was found in its run folder: the database was older.
    recovered: Mapped[bool] = mapped_column(default=False, server_default=text("false"))

    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # The last sign of life of the engine.
    heartbeat_at: Mapped[datetime | None]
    # Alive but silent for longer than is usual; empty again with the next event.
    stalled_since: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class UsedByTask:
    """Columns of an edge from a thing to a task that uses it; the task's room writes it.

    The task's state is its job's; with the job the edge goes.
    """

    task_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=1)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), sort_order=2)
    task_name: Mapped[str] = mapped_column(String(200), sort_order=3)


class JobTransitionRow(Base):
    """Append-only: every move of a job, written in the transaction of the move."""

    __tablename__ = "job_transitions"
    __table_args__ = (Index("ix_job_transitions_job_id", "job_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    # Null for the first: the job came into being.
    from_status: Mapped[JobStatus | None] = mapped_column(_names(JobStatus, None))
    to_status: Mapped[JobStatus] = mapped_column(_names(JobStatus, None))
    reason: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class SupervisorLeaseRow(Base):
    """Who runs the jobs. One row; `epoch` grows with every change of hands."""

    __tablename__ = "supervisor_lease"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str] = mapped_column(String(200))
    # How many slots of each kind it gives out, for those who ask why a job waits.
    slots: Mapped[dict[str, Any] | None] = mapped_column(_json())
    expires_at: Mapped[datetime]
