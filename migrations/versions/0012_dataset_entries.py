"""Data sets that a `dataset_info.json` describes know their entry, and the others of the upload."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Data sets of before were uploaded without such a file."""
    empty = sa.text("'[]'::jsonb")
    op.add_column("datasets", sa.Column("entry", sa.String(200), nullable=True))
    entries = sa.Column("entries", postgresql.JSONB(), nullable=False, server_default=empty)
    op.add_column("datasets", entries)


def downgrade() -> None:
    """Forget which entry each was made of."""
    op.drop_column("datasets", "entries")
    op.drop_column("datasets", "entry")
