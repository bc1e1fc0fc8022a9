"""Slots belong to hosts; owners share the queue; what failed through no fault of its own is tried
again; what was found in a run folder says so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PENDING = sa.text("status = 'PENDING'")
LIVE = sa.text("status IN ('PREPARING', 'RUNNING', 'STOPPING')")


def _count(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _index_queue(*owner: str) -> None:
    op.drop_index("ix_jobs_queue", "jobs")
    columns = ["slot", *owner, sa.text("priority DESC"), "queued_at", "id"]
    op.create_index("ix_jobs_queue", "jobs", columns, postgresql_where=PENDING)


def _index_slots(*host: str) -> None:
    op.drop_index("uq_jobs_slot_index", "jobs")
    columns = [*host, "slot", "slot_index"]
    op.create_index("uq_jobs_slot_index", "jobs", columns, unique=True, postgresql_where=LIVE)


def upgrade() -> None:
    """Add columns; the indexes follow the new order and the new owner of slots."""
    json = postgresql.JSONB()
    host = sa.Column("host", sa.String(64), nullable=False, server_default=sa.text("'local'"))
    nothing = sa.text("'{}'::jsonb")
    op.add_column("jobs", host)
    op.add_column("jobs", sa.Column("failures", json, nullable=False, server_default=nothing))
    op.add_column("jobs", _count("automatic_retries"))
    op.add_column("jobs", _count("retries"))
    op.add_column("jobs", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    recovered = sa.Column(
        "recovered", sa.Boolean(), nullable=False, server_default=sa.text("false")
    )
    op.add_column("jobs", recovered)
    op.add_column("supervisor_lease", sa.Column("slots", json, nullable=True))
    _index_queue("owner_id")
    _index_slots("host")
    op.create_index("ix_jobs_slot_started_at", "jobs", ["slot", "started_at"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_jobs_slot_started_at", "jobs")
    _index_slots()
    _index_queue()
    op.drop_column("supervisor_lease", "slots")
    for name in ("recovered", "retry_at", "retries", "automatic_retries", "failures", "host"):
        op.drop_column("jobs", name)
