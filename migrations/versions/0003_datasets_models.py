"""Data sets and base models, and which tasks use them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _key_and_times() -> list[sa.Column]:
    time = sa.DateTime(timezone=True)
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", time, nullable=False, server_default=sa.text("now()")),
        sa.Column("updated_at", time, nullable=False, server_default=sa.text("now()")),
    ]


def _json(name: str, default: str | None = None) -> sa.Column:
    filled = sa.text(f"'{default}'::jsonb") if default else None
    return sa.Column(name, postgresql.JSONB(), nullable=default is None, server_default=filled)


def _datasets() -> None:
    op.create_table(
        "datasets",
        *_key_and_times(),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("filename", sa.String(255), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("upload_sha256", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("status", sa.String(16), nullable=False),
        _json("mapping"),
        sa.Column("max_dropped_rows", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("format", sa.String(64), nullable=True),
        sa.Column("record_type", sa.String(64), nullable=True),
        sa.Column("num_rows", sa.BigInteger(), nullable=True),
        sa.Column("encoding", sa.String(32), nullable=True),
        sa.Column("delimiter", sa.String(8), nullable=True),
        sa.Column("detected_because", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        _json("error"),
        _json("columns", "[]"),
        _json("counts", "{}"),
        _json("rules", "{}"),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_datasets_owner_id_users"),
        sa.CheckConstraint(
            "status IN ('importing', 'ready', 'blocked', 'needs_mapping', 'failed')",
            name="ck_datasets_status",
        ),
        sa.CheckConstraint("version >= 1", name="ck_datasets_version_positive"),
    )
    op.create_index("ix_datasets_owner_id", "datasets", ["owner_id", "id"])


def _models() -> None:
    op.create_table(
        "models",
        *_key_and_times(),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(500), nullable=False),
        sa.Column("revision", sa.String(100), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        _json("error"),
        sa.Column("architecture", sa.String(200), nullable=True),
        sa.Column("num_parameters", sa.BigInteger(), nullable=True),
        sa.Column("context_length", sa.BigInteger(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("licence", sa.String(200), nullable=True),
        sa.Column("has_chat_template", sa.Boolean(), nullable=False, server_default="false"),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.ForeignKeyConstraint(
            ["added_by"], ["users.id"], name="fk_models_added_by_users", ondelete="SET NULL"
        ),
        sa.CheckConstraint(
            "status IN ('downloading', 'converting', 'ready', 'failed')", name="ck_models_status"
        ),
        sa.CheckConstraint(
            "source IN ('starter', 'huggingface', 'modelscope', 'local', 'remote')",
            name="ck_models_source",
        ),
    )
    op.create_index(
        "uq_models_source",
        "models",
        ["source", sa.text("lower(reference)"), sa.text("coalesce(revision, '')")],
        unique=True,
    )


def _uses(table: str, of: str, key: str) -> None:
    op.create_table(
        table,
        sa.Column(key, sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("task_name", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint(key, "task_id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            [key], [f"{of}.id"], name=f"fk_{table}_{key}_{of}", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=f"fk_{table}_job_id_jobs", ondelete="CASCADE"
        ),
    )
    op.create_index(f"ix_{table}_task_id", table, ["task_id"])


def upgrade() -> None:
    """Create the tables of data sets and models."""
    _datasets()
    _models()
    _uses("dataset_uses", "datasets", "dataset_id")
    _uses("model_uses", "models", "model_id")


def downgrade() -> None:
    """Remove them."""
    op.drop_table("model_uses")
    op.drop_table("dataset_uses")
    op.drop_table("models")
    op.drop_table("datasets")
