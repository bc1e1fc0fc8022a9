"""Programs of models that an administrator has allowed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("models", sa.Column("trusted_code_sha256", sa.String(64), nullable=True))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("models", "trusted_code_sha256")
