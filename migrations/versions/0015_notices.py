"""Notices in the app, targets outside it, and the deliveries between them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KINDS = (
    *("task_completed", "task_failed", "task_stopped", "task_stalled"),
    *("dataset_ready", "dataset_blocked", "dataset_failed", "model_ready", "model_failed"),
)


def _one_of(table: str, column: str, *names: str) -> sa.CheckConstraint:
    allowed = ", ".join(f"'{name}'" for name in names)
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=f"ck_{table}_{column}")


def _keyed() -> list[sa.Column]:
    now = sa.text("now()")
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    ]


def _notices() -> None:
    op.create_table(
        "notices",
        *_keyed(),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("subject_type", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("key", sa.String(200), nullable=True),
        sa.Column("in_app", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("key", name="uq_notices_key"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name="fk_notices_owner_id_users", ondelete="CASCADE"
        ),
        _one_of("notices", "kind", *KINDS),
        _one_of("notices", "level", "success", "warning", "error"),
        _one_of("notices", "subject_type", "task", "dataset", "model"),
    )
    shown = sa.text("in_app")
    op.create_index("ix_notices_owner_id", "notices", ["owner_id", "id"], postgresql_where=shown)
    unread = sa.text("in_app AND read_at IS NULL")
    op.create_index("ix_notices_unread", "notices", ["owner_id"], postgresql_where=unread)
    op.create_index("ix_notices_created_at", "notices", ["created_at"])


def _preferences() -> None:
    op.create_table(
        "notice_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("muted", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_notice_preferences"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name="fk_notice_preferences_user_id_users",
            ondelete="CASCADE",
        ),
    )


def _targets() -> None:
    now = sa.text("now()")
    op.create_table(
        "notice_targets",
        *_keyed(),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("service", sa.String(32), nullable=False),
        sa.Column("address_sealed", sa.Text(), nullable=False),
        sa.Column("address_shown", sa.String(300), nullable=False),
        sa.Column("signing_sealed", sa.Text(), nullable=True),
        sa.Column("kinds", postgresql.JSONB(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.PrimaryKeyConstraint("id", name="pk_notice_targets"),
        _one_of("notice_targets", "language", "en", "zh-CN"),
    )


def _deliveries() -> None:
    now = sa.text("now()")
    name = "notice_deliveries"
    op.create_table(
        name,
        *_keyed(),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, server_default="waiting"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice_deliveries"),
        sa.ForeignKeyConstraint(
            ["notice_id"],
            ["notices.id"],
            name="fk_notice_deliveries_notice_id_notices",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["target_id"],
            ["notice_targets.id"],
            name="fk_notice_deliveries_target_id_notice_targets",
            ondelete="CASCADE",
        ),
        _one_of(name, "state", "waiting", "sent", "failed"),
        sa.CheckConstraint("attempts >= 0", name="ck_notice_deliveries_attempts_counted"),
    )
    unique = "uq_notice_deliveries_notice_id_target_id"
    op.create_index(unique, name, ["notice_id", "target_id"], unique=True)
    op.create_index("ix_notice_deliveries_target_id", name, ["target_id", "id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_notice_deliveries_due_at", name, ["due_at"], postgresql_where=waiting)


def upgrade() -> None:
    """Make the tables."""
    _notices()
    _preferences()
    _targets()
    _deliveries()


def downgrade() -> None:
    """Forget every notice and every target."""
    for table in ("notice_deliveries", "notice_targets", "notice_preferences", "notices"):
        op.drop_table(table)
