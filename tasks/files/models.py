"""Files: what the blob store holds for people."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, Uuid


class File(Base):
    """A named file; its bytes lie in the blob store under `sha256`."""

    __tablename__ = "file"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID | None] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(20))  # consent, attachment, report, recording, export
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(80))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (Index("ix_file_case", "case_id", "kind"),)
