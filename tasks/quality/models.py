"""What the machine and the scorers found."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class QualityCheck(Base):
    """One row of a pre-QC report; the newest round counts."""

    __tablename__ = "quality_check"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID] = mapped_column(Uuid)
    round: Mapped[int] = mapped_column(Integer)
    place: Mapped[int] = mapped_column(Integer)
    rule: Mapped[str] = mapped_column(String(4))
    severity: Mapped[str] = mapped_column(String(6))
    row: Mapped[dict[str, Any]] = mapped_column(JsonText)  # labels, both values, source, advice
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ux_quality_check_place", "case_id", "round", "place", unique=True),)


class ReportHint(Base):
    """One hint on a version of a report."""

    __tablename__ = "report_hint"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID] = mapped_column(Uuid)
    submission_id: Mapped[UUID] = mapped_column(Uuid)
    code: Mapped[str] = mapped_column(String(16))
    block: Mapped[bool] = mapped_column(Boolean)
    row: Mapped[dict[str, Any]] = mapped_column(JsonText)
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ix_report_hint_case", "case_id", "submission_id"),)


class ReportScore(Base):
    """The outcome of one scoring by round; place 1 is the score that counts, 2 the blind second one."""

    __tablename__ = "report_score"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID] = mapped_column(Uuid)
    round: Mapped[int] = mapped_column(Integer)
    place: Mapped[int] = mapped_column(Integer, server_default="1")
    submission_id: Mapped[UUID] = mapped_column(Uuid)
    scorer: Mapped[UUID] = mapped_column(Uuid)
    scores: Mapped[dict[str, int]] = mapped_column(JsonText)
    total: Mapped[int] = mapped_column(Integer)
    grade: Mapped[str] = mapped_column(String(1))
    veto: Mapped[bool] = mapped_column(Boolean)
    failed: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ux_report_score_place", "case_id", "round", "place", unique=True),)
