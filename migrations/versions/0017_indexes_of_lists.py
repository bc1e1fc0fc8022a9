"""What lists and the overview ask for has indexes: uses of a data set, jobs by owner and status."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them; on large tables this takes seconds."""
    op.create_index("ix_dataset_uses_dataset_id", "dataset_uses", ["dataset_id", "task_id"])
    op.create_index(
        "ix_jobs_kind_owner_id_status",
        "jobs",
        ["kind", "owner_id", "status"],
        postgresql_where=sa.text("NOT forgotten"),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_jobs_kind_owner_id_status", "jobs")
    op.drop_index("ix_dataset_uses_dataset_id", "dataset_uses")
