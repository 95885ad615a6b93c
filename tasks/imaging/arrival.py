"""An object arrives: the rows it makes, whatever came before it and whoever comes at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import literal, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.db import Base
from engine.ids import uuid7
from integrations.dicom import Header
from integrations.storage import Blob
from tasks.imaging.models import Locator, Quarantine, Series, SopInstance, Study
from tasks.patients.service import Registration

HERE = "hub"
"""The store next to the database; other places are nodes."""


def put(session: Session, model: type[Base], values: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is there already; True when this call made it."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = dialect.insert(model).values(**values).on_conflict_do_nothing().returning(literal(1))
    return session.execute(made).first() is not None


def index(
    session: Session,
    tenant: UUID,
    header: Header,
    stored: Blob,
    *,
    source: str,
    at: datetime,
) -> str:
    """Write the rows of an object: `new`, `same` when these bytes are known, `other` when its UID has other bytes."""
    h = header
    made = put(
        session,
        SopInstance,
        {
            "tenant": tenant, "sop_uid": h.sop_uid, "study_uid": h.study_uid, "series_uid": h.series_uid,
            "sop_class": h.sop_class, "transfer_syntax": h.transfer_syntax, "number": h.instance_number,
            "frames": h.frames, "pixels": h.has_pixels, "header": orjson.loads(orjson.dumps(asdict(h))), "sha256": stored.sha256,
            "size": stored.size, "received_at": at, "source": source,
        },
    )  # fmt: skip
    if not made:
        return _again(session, tenant, h, stored, source, at)
    copy = {"kind": "original", "place": HERE, "sha256": stored.sha256, "size": stored.size, "created_at": at}
    put(session, Locator, {"tenant": tenant, "sop_uid": h.sop_uid, **copy})
    if session.get(Study, (tenant, h.study_uid)) is None:
        meet(session, tenant, h.patient_id)
        put(
            session,
            Study,
            {
                "tenant": tenant, "study_uid": h.study_uid, "record_id": record_of(session, tenant, h.patient_id, h.issuer),
                "patient_id": h.patient_id, "issuer": h.issuer, "patient_name": h.patient_name, "sex": h.sex[:16],
                "birth_date": h.birth_date[:10], "accession": h.accession, "study_date": h.study_date[:10],
                "study_time": h.study_time[:16], "description": h.study_description, "modality": h.modality[:16],
                "body_part": h.body_part, "laterality": h.laterality[:16], "received_at": at,
            },
        )  # fmt: skip
    put(
        session,
        Series,
        {
            "tenant": tenant, "series_uid": h.series_uid, "study_uid": h.study_uid, "modality": h.modality[:16],
            "number": h.series_number, "description": h.series_description,
        },
    )  # fmt: skip
    return "new"


def _again(session: Session, tenant: UUID, header: Header, stored: Blob, source: str, at: datetime) -> str:
    known = session.get_one(SopInstance, (tenant, header.sop_uid))
    if known.sha256 == stored.sha256:
        return "same"
    values = {
        "id": uuid7(), "tenant": tenant, "sop_uid": header.sop_uid, "study_uid": header.study_uid,
        "sha256": stored.sha256, "size": stored.size, "reason": "other_bytes", "source": source, "received_at": at,
    }  # fmt: skip
    return "other" if put(session, Quarantine, values) else "same"


def meet(session: Session, tenant: UUID, patient_id: str) -> None:
    """From here to the end of the transaction nobody else gives this patient number a study or a record.

    A study and its patient often arrive in the same moment; without this each could look for the other in vain and the study
    would belong to nobody for good. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = f"patient number {tenant} {patient_id}"
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def record_of(session: Session, tenant: UUID, patient_id: str, issuer: str) -> UUID | None:
    """The patient record with this number at this hospital; None while there is none, or more than one fits."""
    if not patient_id:
        return None
    query = select(Registration.record_id, Registration.system).where(
        Registration.tenant == tenant, Registration.mrn == patient_id
    )
    found = {(row.record_id, row.system) for row in session.execute(query)}
    fits = {record for record, system in found if system == issuer} or {record for record, _ in found}
    return next(iter(fits)) if len(fits) == 1 else None


def header_of(instance: SopInstance) -> Header:
    """The header as it was read when the object arrived."""
    known = {f.name for f in fields(Header)}
    kept = {name: value for name, value in instance.header.items() if name in known and value is not None}
    whole: dict[str, Any] = {}
    for name, value in kept.items():
        if not isinstance(value, list):
            whole[name] = value
        elif None not in value:  # a number that was no number
            whole[name] = tuple(value)
    return Header(**whole)
