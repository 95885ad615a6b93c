"""The index of everything received by DICOM, and what was made of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid

UNTRIED = text("pixels AND decodes IS NULL")
"""Objects whose pixels the worker still has to try."""


class Study(Base):
    """A study of a hospital. Patient words are the header's; `record_id` is the patient record it belongs to, once known."""

    __tablename__ = "study"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    record_id: Mapped[UUID | None] = mapped_column(Uuid)
    patient_id: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(64))
    patient_name: Mapped[str] = mapped_column(String(200))
    sex: Mapped[str] = mapped_column(String(16))
    birth_date: Mapped[str] = mapped_column(String(10))
    accession: Mapped[str] = mapped_column(String(64))
    study_date: Mapped[str] = mapped_column(String(10))
    study_time: Mapped[str] = mapped_column(String(16))
    description: Mapped[str] = mapped_column(String(64))
    modality: Mapped[str] = mapped_column(String(16))  # of the first object
    body_part: Mapped[str] = mapped_column(String(64))  # as sent
    laterality: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_study_record", "record_id", "received_at"),
        Index("ix_study_patient", "tenant", "patient_id"),
        Index("ix_study_newest", "received_at"),
    )


class Series(Base):
    """A series of a study."""

    __tablename__ = "series"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    series_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(64))
    modality: Mapped[str] = mapped_column(String(16))
    number: Mapped[int | None] = mapped_column(BigInteger)
    description: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("ix_series_study", "tenant", "study_uid"),)


class SopInstance(Base):
    """One object: where its bytes are, its header, and the lossless copy made of it.

    `sha256` and `size` are of the Part-10 bytes as received; they are never replaced. `decodes` says whether the pixels
    could be decoded (None: not tried yet, or no pixels). The columns from `policy` on are empty until it was prepared.
    """

    __tablename__ = "sop_instance"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sop_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64))
    sop_class: Mapped[str] = mapped_column(String(64))
    transfer_syntax: Mapped[str] = mapped_column(String(64))
    number: Mapped[int | None] = mapped_column(BigInteger)
    frames: Mapped[int] = mapped_column(Integer)
    pixels: Mapped[bool] = mapped_column(Boolean)
    header: Mapped[dict[str, Any]] = mapped_column(JsonText)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    decodes: Mapped[bool | None] = mapped_column(Boolean)
    received_at: Mapped[datetime] = mapped_column(Instant)
    source: Mapped[str] = mapped_column(String(80))
    policy: Mapped[str | None] = mapped_column(String(120))
    verified: Mapped[bool | None] = mapped_column(Boolean)
    compressed_sha256: Mapped[str | None] = mapped_column(String(64))
    bytes_out: Mapped[int | None] = mapped_column(BigInteger)
    pixels_sha256: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        Index("ix_sop_instance_study", "tenant", "study_uid"),
        Index("ix_sop_instance_uid", "sop_uid"),
        Index("ix_sop_instance_untried", "received_at", "sop_uid", postgresql_where=UNTRIED, sqlite_where=UNTRIED),
    )


class Locator(Base):
    """A copy of an object and the store it lies in: original or lossless."""

    __tablename__ = "locator"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sop_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    place: Mapped[str] = mapped_column(String(80), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)


class Quarantine(Base):
    """Bytes that claim a known SOP Instance UID and are not the known object (`other_bytes`), or known ones whose pixels do not
    decode; kept apart, and not drawn, until somebody has looked."""

    __tablename__ = "quarantine"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid, index=True)
    sop_uid: Mapped[str] = mapped_column(String(64))
    study_uid: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(80))
    received_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ux_quarantine_bytes", "tenant", "sop_uid", "sha256", unique=True),)


class Picture(Base):
    """A drawn picture of an object, kept as a blob. `kind` names its size."""

    __tablename__ = "picture"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sop_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))


class CaseStudy(Base):
    """A case carries a study: who may read images of the case may read this one."""

    __tablename__ = "case_study"
    case_id: Mapped[UUID] = mapped_column(ForeignKey("clinical_case.id"), primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    added_at: Mapped[datetime] = mapped_column(Instant)
    added_by: Mapped[str] = mapped_column(String(80))
    __table_args__ = (Index("ix_case_study_study", "tenant", "study_uid"),)


class KeyView(Base):
    """A picture chosen to stand for a study of a case; `reason` is the renderer's word for why."""

    __tablename__ = "key_view"
    case_id: Mapped[UUID] = mapped_column(ForeignKey("clinical_case.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    study_uid: Mapped[str] = mapped_column(String(64))
    sop_uid: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
