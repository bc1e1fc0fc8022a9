"""Every version of a data set is a row; a task says which of them it uses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# What an import finds, in the columns of both tables.
FOUND = (
    *("status", "mapping", "max_dropped_rows", "format", "record_type", "num_rows", "encoding"),
    *("delimiter", "detected_because", "sha256", "columns", "counts", "rules"),
)
NUMBER_IN_PATH = "substring({path} from '/v([0-9]+)/[^/]*$')::int"


def _json(name: str, default: str | None = None) -> sa.Column:
    filled = sa.text(f"'{default}'::jsonb") if default else None
    return sa.Column(name, postgresql.JSONB(), nullable=default is None, server_default=filled)


def _versions() -> None:
    now = sa.text("now()")
    op.create_table(
        "dataset_versions",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        _json("steps", "[]"),
        _json("sources", "[]"),
        sa.Column("status", sa.String(16), nullable=False),
        _json("mapping"),
        sa.Column("max_dropped_rows", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("format", sa.String(64), nullable=True),
        sa.Column("record_type", sa.String(64), nullable=False),
        sa.Column("num_rows", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.String(32), nullable=True),
        sa.Column("delimiter", sa.String(8), nullable=True),
        sa.Column("detected_because", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        _json("columns", "[]"),
        _json("counts", "{}"),
        _json("rules", "{}"),
        _json("splits", "{}"),
        sa.PrimaryKeyConstraint("dataset_id", "version", name="pk_dataset_versions"),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name="fk_dataset_versions_dataset_id_datasets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["users.id"], name="fk_dataset_versions_made_by_users"
        ),
        sa.CheckConstraint("version >= 1", name="ck_dataset_versions_version_positive"),
        sa.CheckConstraint("status IN ('ready', 'blocked')", name="ck_dataset_versions_status"),
    )
    op.create_index("ix_dataset_versions_made_by", "dataset_versions", ["made_by"])


def _fill() -> None:
    found = ", ".join(FOUND)
    op.execute(
        f"INSERT INTO dataset_versions (dataset_id, version, made_by, created_at, {found}) "  # noqa: S608 - all constants
        f"SELECT id, version, owner_id, updated_at, {found} FROM datasets "
        "WHERE status IN ('ready', 'blocked') AND sha256 IS NOT NULL"
    )
    op.add_column(
        "dataset_uses", sa.Column("version", sa.Integer(), nullable=False, server_default="1")
    )
    for source in ("dataset", "validation_dataset"):
        path = f"(jobs.spec #>> '{{{source},path}}')"
        number = NUMBER_IN_PATH.format(path=path)
        op.execute(
            f"UPDATE dataset_uses SET version = {number} FROM jobs "  # noqa: S608 - all constants
            f"WHERE jobs.id = dataset_uses.job_id AND {number} IS NOT NULL "
            f"AND position(dataset_uses.dataset_id::text in {path}) > 0"
        )
    # A task may train on one version and measure itself on another of the same data set.
    op.drop_constraint("pk_dataset_uses", "dataset_uses", type_="primary")
    op.create_primary_key("pk_dataset_uses", "dataset_uses", ["task_id", "dataset_id", "version"])
    op.add_column("datasets", _json("preparation"))


def _choices() -> None:
    """Which rows a task was given, where that is not simply all of the newest version."""
    for part in ("dataset", "validation"):
        op.add_column("tasks", sa.Column(f"{part}_version", sa.Integer(), nullable=True))
        op.add_column("tasks", sa.Column(f"{part}_split", sa.String(64), nullable=True))


def upgrade() -> None:
    """Make the table; the newest version of each data set, and what tasks train on, go into it."""
    _versions()
    _fill()
    _choices()


def downgrade() -> None:
    """Forget all versions but the newest, which the data set describes."""
    for part in ("dataset", "validation"):
        op.drop_column("tasks", f"{part}_version")
        op.drop_column("tasks", f"{part}_split")
    op.drop_column("datasets", "preparation")
    op.execute(
        "DELETE FROM dataset_uses a USING dataset_uses b WHERE a.task_id = b.task_id "
        "AND a.dataset_id = b.dataset_id AND a.version < b.version"
    )
    op.drop_constraint("pk_dataset_uses", "dataset_uses", type_="primary")
    op.create_primary_key("pk_dataset_uses", "dataset_uses", ["task_id", "dataset_id"])
    op.drop_column("dataset_uses", "version")
    op.drop_table("dataset_versions")
