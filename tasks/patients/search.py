"""Find patients by two characters of a name, by pinyin or initials, by number."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, insert, or_, select
from sqlalchemy.orm import Session

from tasks.patients.identity import grams, han
from tasks.patients.models import PatientGram, PatientRecord, Registration


def index(session: Session, tenant: UUID, record_id: UUID, name: str) -> None:
    """Make a record findable by its newest name."""
    session.execute(delete(PatientGram).where(PatientGram.record_id == record_id))
    words = [{"tenant": tenant, "gram": gram, "record_id": record_id} for gram in sorted(grams(name))]
    if words:
        session.execute(insert(PatientGram), words)


def find(
    session: Session, tenants: Collection[UUID], words: str, limit: int
) -> list[tuple[PatientRecord, Registration]]:
    """Records of these hospitals that match, the last touched first. Chinese matches as a phrase, the rest from its start."""
    query = (
        select(PatientRecord, Registration)
        .join(Registration, Registration.id == PatientRecord.registration_id)
        .where(PatientRecord.tenant.in_(tenants))
        .order_by(PatientRecord.updated_at.desc(), PatientRecord.id.desc())
        .limit(limit)
    )
    phrase = han(words)
    for pair in {phrase[i : i + 2] for i in range(len(phrase) - 1)} or ({phrase} if phrase else set()):
        query = query.where(_has(PatientGram.gram == pair))
    if phrase:
        query = query.where(Registration.name.contains(phrase, autoescape=True))
    else:
        text = words.strip()
        named = _has(PatientGram.gram.startswith(text.lower().replace(" ", ""), autoescape=True))
        query = query.where(or_(PatientRecord.mrn.startswith(text, autoescape=True), named))
    return [(record, registration) for record, registration in session.execute(query)]


def _has(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        PatientGram.tenant == PatientRecord.tenant, PatientGram.record_id == PatientRecord.id, condition
    )
