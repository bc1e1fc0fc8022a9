"""Jobs that wait for memory or are to be forgotten; tasks whose owner accepted a lack of memory,
and whose intent is said in own words."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def upgrade() -> None:
    """Add the columns."""
    op.add_column("jobs", sa.Column("memory_bytes", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("wait", postgresql.JSONB(), nullable=True))
    op.add_column("jobs", _flag("forgotten"))
    op.add_column("tasks", _flag("accept_memory_risk"))
    op.alter_column("tasks", "intent", type_=sa.String(200))


def downgrade() -> None:
    """Remove them."""
    op.alter_column("tasks", "intent", type_=sa.String(32), postgresql_using="left(intent, 32)")
    op.drop_column("tasks", "accept_memory_risk")
    for name in ("forgotten", "wait", "memory_bytes"):
        op.drop_column("jobs", name)
