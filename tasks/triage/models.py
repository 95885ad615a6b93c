"""Proposals of experts, and the holds on their time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class TriageProposal(Base):
    """One ranked person for a case, with the parts of the score in words."""

    __tablename__ = "triage_proposal"
    case_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    place: Mapped[int] = mapped_column(Integer)
    score: Mapped[float] = mapped_column(Float)
    excluded: Mapped[str] = mapped_column(String(80))
    excluded_en: Mapped[str] = mapped_column(String(80))
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    created_at: Mapped[datetime] = mapped_column(Instant)


class Hold(Base):
    """An expert is asked for a case and counted as busy until he answers."""

    __tablename__ = "hold"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID] = mapped_column(Uuid)
    account_id: Mapped[UUID] = mapped_column(Uuid)
    minutes: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12))  # held, released (declined or silent), freed (the case ended)
    created_at: Mapped[datetime] = mapped_column(Instant)
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (Index("ix_hold_account", "account_id", "state"), Index("ix_hold_case", "case_id", "account_id"))
