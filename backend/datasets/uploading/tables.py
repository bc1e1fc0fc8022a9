"""The table of resumable uploads."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.database import Base, Keyed


class UploadRow(Keyed, Base):
    """A file on its way in, or one that has arrived and is no data set yet.

    Its bytes are in quarantine under its id. The first `offset_bytes` of them are on the disk for
    good; what lies behind is not known to be right and is overwritten.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        Index("ix_uploads_owner_id", "owner_id", "id"),
        Index("ix_uploads_progressed_at", "progressed_at"),
        CheckConstraint("offset_bytes BETWEEN 0 AND size_bytes", name="offset_in_file"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    filename: Mapped[str] = mapped_column(String(255))
    # As the client sent it; the protocol wants it back word for word.
    client_metadata: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    offset_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    declared_sha256: Mapped[str | None] = mapped_column(String(64))
    sha256: Mapped[str | None] = mapped_column(String(64))
    progressed_at: Mapped[datetime] = mapped_column(server_default=func.now())
