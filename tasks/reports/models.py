"""Versions of a report, and who signed which."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class ReportVersion(Base):
    """One text of a report as its author handed it in; corrections are new versions, old ones stay visible."""

    __tablename__ = "report_version"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID] = mapped_column(Uuid)
    version: Mapped[int] = mapped_column(Integer)
    author: Mapped[UUID] = mapped_column(Uuid)
    content: Mapped[dict[str, Any]] = mapped_column(JsonText)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    reviewer: Mapped[UUID | None] = mapped_column(Uuid)
    reviewed_at: Mapped[datetime | None] = mapped_column(Instant)
    verdict: Mapped[str | None] = mapped_column(String(12))
    comment: Mapped[str | None] = mapped_column(String(1000))
    signer: Mapped[UUID | None] = mapped_column(Uuid)
    signed_at: Mapped[datetime | None] = mapped_column(Instant)
    signed_digest: Mapped[str | None] = mapped_column(String(64))
    pdf_sha256: Mapped[str | None] = mapped_column(String(64))
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (Index("ux_report_version_number", "case_id", "version", unique=True),)
