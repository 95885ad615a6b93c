"""The case and who stands in which relation to it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class ClinicalCase(Base):
    """One reading, consultation or discussion, from the opened application to the acknowledged result.

    `tenant` is the applying hospital. The patient's name, sex and birth date are those of the immutable registration the
    application was opened for, kept here so that every list shows what was applied for.
    """

    __tablename__ = "clinical_case"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    ref: Mapped[str] = mapped_column(String(24), unique=True)
    kind: Mapped[str] = mapped_column(String(4))  # RR RC RCE RCM CD MDT TE
    state: Mapped[str] = mapped_column(String(16))
    instance_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    registration_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    patient_name: Mapped[str | None] = mapped_column(String(80))
    patient_sex: Mapped[str | None] = mapped_column(String(1))  # M F O U
    patient_birth: Mapped[date | None] = mapped_column(Date)
    applicant: Mapped[UUID] = mapped_column(Uuid)
    from_hospital: Mapped[UUID] = mapped_column(Uuid)
    to_hospital: Mapped[UUID | None] = mapped_column(Uuid)
    urgency: Mapped[str] = mapped_column(String(1))  # E U R
    modality: Mapped[str | None] = mapped_column(String(8))
    body_part: Mapped[str | None] = mapped_column(String(20))
    tag: Mapped[str | None] = mapped_column(String(20))
    specialty: Mapped[str | None] = mapped_column(String(20))
    mode: Mapped[str | None] = mapped_column(String(12))
    consent: Mapped[bool] = mapped_column(Boolean, server_default=false())
    expert: Mapped[UUID | None] = mapped_column(Uuid)
    round: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("0"))  # of the frozen application
    sla: Mapped[dict[str, str]] = mapped_column(JsonText)  # name of a limit -> instant, ISO 8601
    created_at: Mapped[datetime] = mapped_column(Instant)
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    stop_reason: Mapped[str | None] = mapped_column(String(20))
    paused_at: Mapped[datetime | None] = mapped_column(Instant)
    paused_for: Mapped[str | None] = mapped_column(String(20))
    paused_ms: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    updated_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_clinical_case_tenant_state", "tenant", "state", "created_at"),
        Index("ix_clinical_case_to", "to_hospital", "created_at"),
        Index("ix_clinical_case_applicant", "applicant", "created_at"),
        Index("ix_clinical_case_newest", "created_at", "id"),
    )


class CaseParty(Base):
    """A hospital that takes part in a case: it applies (`from`) or is asked (`to`)."""

    __tablename__ = "case_party"
    case_id: Mapped[UUID] = mapped_column(ForeignKey("clinical_case.id"), primary_key=True)
    hospital_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    part: Mapped[str] = mapped_column(String(8), primary_key=True)
    __table_args__ = (Index("ix_case_party_hospital", "hospital_id", "part"),)


class CasePerson(Base):
    """Somebody who took a part in a case: applicant, expert, author, reviewer, scorer, ... or was asked to."""

    __tablename__ = "case_person"
    case_id: Mapped[UUID] = mapped_column(ForeignKey("clinical_case.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    part: Mapped[str] = mapped_column(String(12), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ix_case_person_account", "account_id"),)


class BreakGlass(Base):
    """Somebody looked past his permission, said why, and for how long it held; reviewed afterwards."""

    __tablename__ = "break_glass"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("clinical_case.id"))
    account_id: Mapped[UUID] = mapped_column(Uuid)
    reason: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(String(500))
    opened_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    review_by: Mapped[datetime] = mapped_column(Instant)
    reviewed_by: Mapped[UUID | None] = mapped_column(Uuid)
    reviewed_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (Index("ix_break_glass_case", "case_id", "account_id", "ends_at"),)


class RefCounter(Base):
    """The last number given out for a kind of case, a day in China and a hospital."""

    __tablename__ = "ref_counter"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(4), primary_key=True)
    day: Mapped[str] = mapped_column(String(6), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
