"""The queue: jobs, their transitions, and who supervises them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NOT_TERMINAL = sa.text("status IN ('PENDING', 'PREPARING', 'RUNNING', 'STOPPING')")
LIVE = sa.text("status IN ('PREPARING', 'RUNNING', 'STOPPING')")
STATUSES = "'PENDING', 'PREPARING', 'RUNNING', 'STOPPING', 'COMPLETED', 'FAILED', 'STOPPED'"


def _time(name: str, *, filled: bool = False) -> sa.Column:
    default = sa.text("now()") if filled else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not filled, server_default=default)


def _json(name: str, default: str | None = None) -> sa.Column:
    filled = sa.text(f"'{default}'::jsonb") if default else None
    return sa.Column(name, postgresql.JSONB(), nullable=default is None, server_default=filled)


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def _what_is_asked() -> list[sa.Column]:
    """What the job is, and where it stands in the queue."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("spec", postgresql.JSONB(), nullable=False),
        sa.Column("slot", sa.String(16), nullable=False),
        sa.Column("slot_index", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
    ]


def _how_it_goes() -> list[sa.Column]:
    """The newest that the engine said."""
    return [
        sa.Column("phase", sa.String(32), nullable=True),
        sa.Column("progress", sa.Float(), nullable=False, server_default="0"),
        sa.Column("step", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("total_steps", sa.Integer(), nullable=True),
        sa.Column("epoch", sa.Float(), nullable=True),
        sa.Column("eta_s", sa.Float(), nullable=True),
        sa.Column("tokens_per_s", sa.Float(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        _json("metrics", "{}"),
        _json("error"),
        _flag("resumable"),
        _flag("resume"),
        _json("checkpoint"),
        sa.Column("device", sa.String(64), nullable=True),
        sa.Column("dtype", sa.String(32), nullable=True),
        sa.Column("device_reason", sa.Text(), nullable=True),
        sa.Column("event_offset", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("peak_memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("stop_requested", sa.String(16), nullable=True),
    ]


def _when() -> list[sa.Column]:
    return [
        _time("queued_at", filled=True),
        _time("started_at"),
        _time("finished_at"),
        _time("heartbeat_at"),
        _time("stalled_since"),
        _time("updated_at", filled=True),
        _time("created_at", filled=True),
    ]


def _jobs() -> None:
    op.create_table(
        "jobs",
        *_what_is_asked(),
        *_how_it_goes(),
        *_when(),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.CheckConstraint("attempt >= 1", name="ck_jobs_attempt_positive"),
        sa.CheckConstraint(f"status IN ({STATUSES})", name="ck_jobs_status"),
        sa.CheckConstraint("slot IN ('training', 'light')", name="ck_jobs_slot"),
        sa.CheckConstraint("stop_requested IN ('save', 'discard')", name="ck_jobs_stop_requested"),
    )


def _job_indexes() -> None:
    op.create_index(
        "uq_jobs_live_subject",
        "jobs",
        ["kind", "subject_id"],
        unique=True,
        postgresql_where=NOT_TERMINAL,
    )
    op.create_index(
        "ix_jobs_queue",
        "jobs",
        ["slot", sa.text("priority DESC"), "queued_at", "id"],
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_index(
        "uq_jobs_slot_index", "jobs", ["slot", "slot_index"], unique=True, postgresql_where=LIVE
    )
    op.create_index("ix_jobs_subject_id", "jobs", ["subject_id"])


def _transitions() -> None:
    op.create_table(
        "job_transitions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("from_status", sa.String(16), nullable=True),
        sa.Column("to_status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        _time("at", filled=True),
        sa.PrimaryKeyConstraint("id", name="pk_job_transitions"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name="fk_job_transitions_job_id_jobs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_job_transitions_job_id", "job_transitions", ["job_id", "id"])


def _lease() -> None:
    op.create_table(
        "supervisor_lease",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_supervisor_lease"),
        sa.CheckConstraint("id = 1", name="ck_supervisor_lease_single_row"),
    )


def upgrade() -> None:
    """Create the tables of the queue and of its supervisor."""
    _jobs()
    _job_indexes()
    _transitions()
    _lease()


def downgrade() -> None:
    op.drop_table("supervisor_lease")
    op.drop_table("job_transitions")
    op.drop_table("jobs")
