"""Tasks carry tags and their best value; users keep named views of the list."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tasks of before have no tags; the best value is known of runs that go on from here."""
    tags = postgresql.ARRAY(sa.String(50))
    op.add_column("tasks", sa.Column("tags", tags, nullable=False, server_default=sa.text("'{}'")))
    op.create_index("ix_tasks_tags", "tasks", ["tags"], postgresql_using="gin")
    op.add_column("jobs", sa.Column("best_metric", postgresql.JSONB(), nullable=True))
    op.create_table(
        "task_list_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], "fk_task_list_views_owner_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_task_list_views"),
    )
    op.create_index(
        "uq_task_list_views_name",
        "task_list_views",
        ["owner_id", sa.text("lower(name)")],
        unique=True,
    )


def downgrade() -> None:
    """Forget tags, best values and named views."""
    op.drop_table("task_list_views")
    op.drop_column("jobs", "best_metric")
    op.drop_index("ix_tasks_tags", "tasks")
    op.drop_column("tasks", "tags")
