"""Applications as they were frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class Frozen(Base):
    """An application as it was handed in; `sha256` is over the canonical JSON of `content`."""

    __tablename__ = "frozen_application"
    case_id: Mapped[UUID] = mapped_column(ForeignKey("clinical_case.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(JsonText)
    frozen_at: Mapped[datetime] = mapped_column(Instant)
