"""Work that nobody waits for has a slot of its own, and does not keep imports from beginning."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _allow(names: str) -> None:
    op.drop_constraint("ck_jobs_slot", "jobs", type_="check")
    op.create_check_constraint("ck_jobs_slot", "jobs", f"slot IN ({names})")


def upgrade() -> None:
    """Allow one more kind of slot."""
    _allow("'training', 'light', 'background'")


def downgrade() -> None:
    """What waits in the background waits with the light work again."""
    op.execute("UPDATE jobs SET slot = 'light', slot_index = NULL WHERE slot = 'background'")
    _allow("'training', 'light'")
