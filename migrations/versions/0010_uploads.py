"""Resumable uploads, uploads of several files, and how files are to be read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _uploads() -> None:
    now = sa.text("now()")
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("client_metadata", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("declared_sha256", sa.String(64), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("progressed_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_uploads_owner_id_users"),
        sa.CheckConstraint(
            "offset_bytes BETWEEN 0 AND size_bytes", name="ck_uploads_offset_in_file"
        ),
    )
    op.create_index("ix_uploads_owner_id", "uploads", ["owner_id", "id"])
    op.create_index("ix_uploads_progressed_at", "uploads", ["progressed_at"])


def upgrade() -> None:
    """Make the table and the columns; data sets of before are read as they were, of one file."""
    _uploads()
    for table in ("datasets", "dataset_versions"):
        op.add_column(table, sa.Column("options", postgresql.JSONB(), nullable=True))
    empty = sa.text("'[]'::jsonb")
    files = sa.Column("files", postgresql.JSONB(), nullable=False, server_default=empty)
    op.add_column("datasets", files)
    op.create_index("ix_datasets_owner_id_upload_sha256", "datasets", ["owner_id", "upload_sha256"])


def downgrade() -> None:
    """Forget unfinished uploads, options, and which files an upload had."""
    op.drop_index("ix_datasets_owner_id_upload_sha256", "datasets")
    op.drop_column("datasets", "files")
    for table in ("dataset_versions", "datasets"):
        op.drop_column(table, "options")
    op.drop_table("uploads")
