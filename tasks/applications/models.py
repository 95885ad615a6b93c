"""Orders of the hospitals' own systems, and applications as they were frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class Order(Base):
    """An examination a hospital's own system ordered for a patient; the newest word about a placer number stands."""

    __tablename__ = "clinical_order"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    placer: Mapped[str] = mapped_column(String(64), primary_key=True)  # ORC-2
    record_id: Mapped[UUID] = mapped_column(Uuid)
    registration_id: Mapped[UUID] = mapped_column(Uuid)
    status: Mapped[str] = mapped_column(String(4))  # ORC-1: NW, XO, CA, ...
    code: Mapped[str] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(String(200))
    modality: Mapped[str] = mapped_column(String(16))
    urgency: Mapped[str] = mapped_column(String(4))
    diagnosis: Mapped[str] = mapped_column(String(200))
    complaint: Mapped[str] = mapped_column(String(500))
    question: Mapped[str] = mapped_column(String(300))
    requested_by: Mapped[str] = mapped_column(String(80))
    received_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ix_clinical_order_record", "record_id", "received_at"),)


class Frozen(Base):
    """An application as it was handed in; `sha256` is over the canonical JSON of `content`."""

    __tablename__ = "frozen_application"
    case_id: Mapped[UUID] = mapped_column(ForeignKey("clinical_case.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(JsonText)
    frozen_at: Mapped[datetime] = mapped_column(Instant)
