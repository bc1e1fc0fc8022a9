"""Tables of data sets: the data set, its versions, and who uses them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.database import Base, Keyed, one_of
from backend.datasets.schemas import DatasetStatus
from backend.jobs.tables import UsedByTask


def _json() -> JSONB:
    return JSONB(none_as_null=True)


class Imported:
    """How a file is read, and what an import finds out about it."""

    mapping: Mapped[dict[str, Any] | None] = mapped_column(_json())
    options: Mapped[dict[str, Any] | None] = mapped_column(_json())
    max_dropped_rows: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    encoding: Mapped[str | None] = mapped_column(String(32))
    format: Mapped[str | None] = mapped_column(String(64))
    delimiter: Mapped[str | None] = mapped_column(String(8))
    detected_because: Mapped[str | None] = mapped_column(Text)
    columns: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'::jsonb"))
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))


class DatasetRow(Imported, Keyed, Base):
    """A data set, with what the newest import found.

    Files: `datasets_dir / id / upload` as it came, and `v1`, `v2`, … for the versions, which
    never change once they are there. `files` names those of an upload of several, which are
    `uploads / 0`, `uploads / 1`, …; it is empty for one file.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        Index("ix_datasets_owner_id", "owner_id", "id"),
        Index("ix_datasets_owner_id_upload_sha256", "owner_id", "upload_sha256"),
        one_of("status", DatasetStatus),
        CheckConstraint("version >= 1", name="version_positive"),
    )
    # `updated_at` comes back with the UPDATE; a lazy refresh is impossible under asyncio.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 (SQLAlchemy declares it plain)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    filename: Mapped[str | None] = mapped_column(String(255))
    files: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    upload_sha256: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    status: Mapped[str] = mapped_column(String(16))
    record_type: Mapped[str | None] = mapped_column(String(64))
    num_rows: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[dict[str, Any] | None] = mapped_column(_json())
    # {steps, version, error} of a version that is being made of this one, or could not be made.
    preparation: Mapped[dict[str, Any] | None] = mapped_column(_json())
    # Of a `dataset_info.json` of the upload: which entry this is; the first data set of the upload
    # lists them all as {name, refusal, warnings, dataset_id}.
    entry: Mapped[str | None] = mapped_column(String(200))
    entries: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    # Where it was fetched from: `hubs.schemas.DatasetSource` and its files; None for an upload.
    source: Mapped[dict[str, Any] | None] = mapped_column(_json())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class DatasetVersionRow(Imported, Base):
    """A version that is there and never changes, but for the verdict on its dropped rows.

    `parent` is the version that it was made from, by `steps` and with rows of `sources`; a
    version without steps is an import of the upload.
    """

    __tablename__ = "dataset_versions"
    __table_args__ = (
        Index("ix_dataset_versions_made_by", "made_by"),
        CheckConstraint("version >= 1", name="version_positive"),
        CheckConstraint("status IN ('ready', 'blocked')", name="status"),
    )

    dataset_id: Mapped[UUID] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    parent: Mapped[int | None]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    steps: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    sources: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    status: Mapped[str] = mapped_column(String(16))
    record_type: Mapped[str] = mapped_column(String(64))
    num_rows: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    # Name → {num_rows, sha256} of the rows that belong to it; empty for a version that is whole.
    splits: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))


class DatasetUseRow(UsedByTask, Base):
    """A task that trains, or measures itself, on a version of a data set."""

    __tablename__ = "dataset_uses"
    __table_args__ = (
        Index("ix_dataset_uses_task_id", "task_id"),
        Index("ix_dataset_uses_dataset_id", "dataset_id", "task_id"),
    )

    dataset_id: Mapped[UUID] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, default=1, server_default="1")
