"""The knob `simpo_gamma` is called what it is: a ratio. Its values stay the same."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BEFORE, NOW = "simpo_gamma", "simpo_gamma_ratio"
# Whole hyper-parameters, and documents that hold them beside other things.
ALONE = (("tasks", "hyperparameters"),)
INSIDE = (("jobs", "spec"), ("task_drafts", '"values"'), ("idempotency_keys", "answer"))


def _rename(old: str, new: str) -> None:
    for table, column in ALONE:
        _change(table, column, column, _renamed(column, old, new), old)
    for table, column in INSIDE:
        knobs = f"({column} -> 'hyperparameters')"
        whole = f"jsonb_set({column}, '{{hyperparameters}}', {_renamed(knobs, old, new)})"
        _change(table, column, knobs, whole, old)


def _renamed(knobs: str, old: str, new: str) -> str:
    return f"({knobs} - '{old}') || jsonb_build_object('{new}', {knobs} -> '{old}')"


def _change(table: str, column: str, knobs: str, value: str, old: str) -> None:
    op.execute(f"UPDATE {table} SET {column} = {value} WHERE {knobs} -> '{old}' IS NOT NULL")  # noqa: S608 - all constants


def upgrade() -> None:
    """Give it the new name wherever it is stored."""
    _rename(BEFORE, NOW)


def downgrade() -> None:
    """Give it the old one."""
    _rename(NOW, BEFORE)
