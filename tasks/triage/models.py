"""Proposals of experts, and the holds on their time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid

HELD = text("state = 'held'")


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
    """An expert is asked for a case, and one of his places is taken until he declines or the case ends.

    Places are numbered from 0. That two holds never take the same place, and a case never two places of one expert, is
    kept by the database: whoever comes second is refused there, however close the two came.
    """

    __tablename__ = "hold"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID] = mapped_column(Uuid)
    account_id: Mapped[UUID] = mapped_column(Uuid)
    slot: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    minutes: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12))  # held, released (declined or silent), freed (the case ended)
    created_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)  # when he accepted, or was appointed
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_hold_account", "account_id", "state"),
        Index("ix_hold_case", "case_id", "account_id"),
        Index("ux_hold_slot", "account_id", "slot", unique=True, sqlite_where=HELD, postgresql_where=HELD),
        Index("ux_hold_held", "case_id", "account_id", unique=True, sqlite_where=HELD, postgresql_where=HELD),
    )
