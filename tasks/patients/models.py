"""The master patient index.

A `registration` is what a source system said, kept for ever as it came; a `patient_record` is the patient as one source
system knows him (system + number) and points to the newest registration and, through the last link event, to a person.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, false
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class Person(Base):
    """A human being across all hospitals: an identifier and nothing else."""

    __tablename__ = "person"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Instant)


class PatientRecord(Base):
    """The patient as one source system knows him; the only row here that changes."""

    __tablename__ = "patient_record"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    system: Mapped[str] = mapped_column(String(64))  # who assigned the number: PID-3.4
    mrn: Mapped[str] = mapped_column(String(64))
    registration_id: Mapped[UUID] = mapped_column(Uuid)  # the newest version
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    flagged: Mapped[bool] = mapped_column(Boolean, server_default=false())  # somebody has to compare by hand
    updated_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ux_patient_record_mrn", "tenant", "system", "mrn", unique=True),
        Index("ix_patient_record_number", "mrn"),
        Index("ix_patient_record_updated", "tenant", "updated_at"),
    )


class Registration(Base):
    """What a source system said about a patient, once; never changed."""

    __tablename__ = "registration"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("patient_record.id"))
    version: Mapped[int] = mapped_column(Integer)
    system: Mapped[str] = mapped_column(String(64))
    mrn: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[str] = mapped_column(String(160))  # pinyin without tones
    sex: Mapped[str] = mapped_column(String(1))  # M F O U
    birth_date: Mapped[date | None] = mapped_column(Date)
    id_hash: Mapped[str | None] = mapped_column(
        String(64)
    )  # keyed hash of an ID card number that holds; only then a key
    id_masked: Mapped[str | None] = mapped_column(String(18))
    phone: Mapped[str | None] = mapped_column(String(30))
    source: Mapped[str] = mapped_column(String(40))  # hl7, dicom, form
    received_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ux_registration_version", "record_id", "version", unique=True),
        Index("ix_registration_id_hash", "id_hash"),
        Index("ix_registration_birth", "birth_date", "name_key"),
    )


class PatientGram(Base):
    """Search index of the newest registration: pairs of characters, pinyin, initials, each a row."""

    __tablename__ = "patient_gram"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    gram: Mapped[str] = mapped_column(String(160), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("patient_record.id"), primary_key=True)
    __table_args__ = (Index("ix_patient_gram_record", "record_id"),)


class LinkEvent(Base):
    """A record was put under a person, or taken away again; append-only, so that it can be undone."""

    __tablename__ = "link_event"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("patient_record.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # new, auto, manual, unlink, flag, clear
    from_person: Mapped[UUID | None] = mapped_column(Uuid)
    to_person: Mapped[UUID | None] = mapped_column(Uuid)
    rule: Mapped[str] = mapped_column(String(20))
    detail: Mapped[dict[str, Any]] = mapped_column(JsonText)
    actor: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(Instant)


class Order(Base):
    """An examination a hospital's own system ordered for a patient; the newest word about a placer number stands."""

    __tablename__ = "clinical_order"
    tenant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    placer: Mapped[str] = mapped_column(String(64), primary_key=True)  # ORC-2
    filler: Mapped[str] = mapped_column(String(64), server_default="")  # ORC-3
    accession: Mapped[str] = mapped_column(String(64), server_default="")  # OBR-18
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

    @property
    def numbers(self) -> frozenset[str]:
        """The accession numbers its images may carry: the one the message names, else the filler's or the placer's number."""
        return frozenset({self.accession} if self.accession else {n for n in (self.filler, self.placer) if n})
