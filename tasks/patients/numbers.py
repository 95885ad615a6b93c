"""A patient found by a number some hospital gave him, with every other number he has or had."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tasks.patients.models import PatientRecord, Registration

MOST = 20


@dataclass(frozen=True)
class Numbered:
    """One human being: the numbers he has at hospitals, the one asked for first, and all his registrations."""

    person: UUID
    numbers: tuple[tuple[UUID, str], ...]
    registrations: tuple[UUID, ...]


def by_number(session: Session, number: str) -> list[Numbered]:
    """Who has this number somewhere; several, when hospitals gave the same one to different people. No permission is asked."""
    query = select(PatientRecord.person_id).where(PatientRecord.mrn == number).distinct().limit(MOST)
    return [_numbered(session, person, number) for person in sorted(session.scalars(query))]


def by_person(session: Session, person: UUID) -> Numbered:
    """The numbers and registrations of one human being."""
    return _numbered(session, person, "")


def _numbered(session: Session, person: UUID, number: str) -> Numbered:
    rows = session.execute(
        select(PatientRecord.id, PatientRecord.tenant, PatientRecord.mrn).where(PatientRecord.person_id == person)
    ).all()
    known = sorted(rows, key=lambda row: (row.mrn != number, row.mrn))
    versions = select(Registration.id).where(Registration.record_id.in_([row.id for row in rows]))
    return Numbered(person, tuple((row.tenant, row.mrn) for row in known), tuple(session.scalars(versions)))
