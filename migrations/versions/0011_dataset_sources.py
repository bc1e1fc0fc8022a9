"""A data set says which hub it came from, at which commit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Uploads and examples have no source."""
    op.add_column("datasets", sa.Column("source", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    """Forget where data sets came from."""
    op.drop_column("datasets", "source")
