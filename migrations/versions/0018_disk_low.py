"""There can be a notice of the data folder's disk."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KINDS = (
    "'task_completed', 'task_failed', 'task_stopped', 'task_stalled', 'dataset_ready', "
    "'dataset_blocked', 'dataset_failed', 'model_ready', 'model_failed'"
)
SUBJECTS = "'task', 'dataset', 'model'"


def _allow(column: str, names: str) -> None:
    op.drop_constraint(f"ck_notices_{column}", "notices", type_="check")
    op.create_check_constraint(f"ck_notices_{column}", "notices", f"{column} IN ({names})")


def upgrade() -> None:
    """Allow one more kind and one more subject."""
    _allow("kind", f"{KINDS}, 'disk_low'")
    _allow("subject_type", f"{SUBJECTS}, 'disk'")


def downgrade() -> None:
    """Forget what an earlier version does not know, and that anybody wanted to see or hear it."""
    op.execute("DELETE FROM notices WHERE kind = 'disk_low'")
    op.execute("UPDATE notice_preferences SET muted = muted - 'disk_low'")
    op.execute("UPDATE notice_targets SET kinds = kinds - 'disk_low'")
    _allow("kind", KINDS)
    _allow("subject_type", SUBJECTS)
