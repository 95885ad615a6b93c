"""Hospitals, people, what they are appointed to, agreements, rota and logins."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, false, true
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class Hospital(Base):
    """A hospital; its id is the tenant of everything that belongs to it."""

    __tablename__ = "hospital"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)  # 'QH': part of every case number
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(8))  # hub, primary
    ae_title: Mapped[str | None] = mapped_column(String(16))  # what its modalities call themselves
    timezone: Mapped[str] = mapped_column(String(40))  # the zone of its naive DICOM and HL7 times
    active: Mapped[bool] = mapped_column(Boolean, server_default=true())
    created_at: Mapped[datetime] = mapped_column(Instant)


class Department(Base):
    """A department of a hospital."""

    __tablename__ = "department"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("hospital.id"))
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str | None] = mapped_column(String(80))
    __table_args__ = (Index("ux_department_hospital_name", "hospital_id", "name", unique=True),)


class Account(Base):
    """A person who works on the platform. Password hash and phone never leave by a log."""

    __tablename__ = "account"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    login_name: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(80))
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("hospital.id"), index=True)
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    title: Mapped[str | None] = mapped_column(String(20))  # resident, attending, associate, chief
    phone: Mapped[str | None] = mapped_column(String(30), index=True)  # E.164
    specialties: Mapped[list[str]] = mapped_column(JsonText)
    license_no: Mapped[str | None] = mapped_column(String(40))
    language: Mapped[str | None] = mapped_column(String(8))
    active: Mapped[bool] = mapped_column(Boolean, server_default=true())
    created_at: Mapped[datetime] = mapped_column(Instant)


class Assignment(Base):
    """A role somebody holds at a hospital (none: on the whole platform), perhaps in one department only."""

    __tablename__ = "assignment"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str] = mapped_column(String(20))
    hospital_id: Mapped[UUID | None] = mapped_column(ForeignKey("hospital.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_assignment_account", "account_id"),
        Index("ix_assignment_role", "role", "hospital_id"),
    )


class Agreement(Base):
    """What one hospital may ask of another, and from when to when."""

    __tablename__ = "agreement"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    from_hospital: Mapped[UUID] = mapped_column(ForeignKey("hospital.id"))
    to_hospital: Mapped[UUID] = mapped_column(ForeignKey("hospital.id"))
    scopes: Mapped[list[str]] = mapped_column(JsonText)  # case kinds: RR, RC, ...
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_to: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ix_agreement_pair", "from_hospital", "to_hospital"),)


class Shift(Base):
    """A row of the rota: somebody is on duty from one instant until another."""

    __tablename__ = "shift"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("hospital.id"))
    kind: Mapped[str] = mapped_column(String(12))  # duty, oncall, absent
    starts: Mapped[datetime] = mapped_column(Instant)
    ends: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_shift_hospital", "hospital_id", "ends"),
        Index("ix_shift_account", "account_id", "ends"),
    )


class Substitution(Base):
    """While it lasts, `substitute` also gets what waits for `absent`."""

    __tablename__ = "substitution"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    absent: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    substitute: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    starts: Mapped[datetime] = mapped_column(Instant)
    ends: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[str] = mapped_column(String(80))


class Login(Base):
    """A web session. Only the sha256 of its token is stored; a stolen table opens nothing."""

    __tablename__ = "login"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    reauth_at: Mapped[datetime] = mapped_column(Instant)
    locked: Mapped[bool] = mapped_column(Boolean, server_default=false())
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    address: Mapped[str | None] = mapped_column(String(64))


class LoginFailure(Base):
    """A password that was wrong: which name (hashed), from where, when; kept for a day."""

    __tablename__ = "login_failure"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name_hash: Mapped[str] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_login_failure_name", "name_hash", "at"),
        Index("ix_login_failure_address", "address", "at"),
        Index("ix_login_failure_at", "at"),
    )
