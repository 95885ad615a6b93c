"""What the ranking knows of each expert, by a handful of queries for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from tasks.cases.service import CasePerson, ClinicalCase
from tasks.patients.service import Patients
from tasks.people import directory
from tasks.triage.matching import Candidate, Conflict
from tasks.triage.models import Hold
from tasks.worklist import load

RECENT = timedelta(days=30)
APPLYING = frozenset({"applicant", "technician", "approver", "owner"})
REPORTING = frozenset({"author", "reviewer", "scorer"})
CARED = ("expert", "author", "reviewer")
"""Parts by which somebody knows a patient from another case."""
LONG_IDLE = 10**6


def candidates(session: Session, patients: Patients, case: ClinicalCase, now: datetime) -> list[Candidate]:
    """Everybody who is an expert at the invited hospital, as the ranking wants them."""
    if case.to_hospital is None:
        return []
    people = directory.holders(session, "expert", case.to_hospital, now)
    ids = [account.id for account in people]
    duty = {account.id for account, _ in directory.on_duty(session, case.to_hospital, now, role="expert")}
    since = now - RECENT
    waiting = load.waiting(session, ids)
    busy = _cases(session, ids, Hold.state == "held", Hold.case_id != case.id)
    answered = _cases(session, ids, Hold.answered_at >= since)
    declined = _cases(session, ids, Hold.state == "released", Hold.created_at >= since)
    last = select(Hold.account_id, func.max(Hold.created_at)).where(Hold.account_id.in_(ids)).group_by(Hold.account_id)
    asked = {row[0]: row[1] for row in session.execute(last)}
    known, barred = knows(session, patients, case), conflicts(session, case, ids, now)
    return [
        Candidate(
            id=str(a.id), name=a.name, title=a.title or "resident", specialties=tuple(a.specialties), on_duty=a.id in duty,
            waiting=waiting.get(a.id, 0), open_cases=busy.get(a.id, 0), recent_declines=declined.get(a.id, 0),
            answered_30d=answered.get(a.id, 0), knows_patient=a.id in known, conflict=barred.get(a.id),
            idle_minutes=int((now - asked[a.id]).total_seconds() // 60) if a.id in asked else LONG_IDLE,
        )
        for a in people
    ]  # fmt: skip


def conflicts(session: Session, case: ClinicalCase, accounts: Sequence[UUID], now: datetime) -> Mapping[UUID, Conflict]:
    """Who of these people must not answer the case, and why; the treating side outweighs where somebody works."""
    parts: dict[UUID, set[str]] = {who: set() for who in accounts}
    rows = select(CasePerson.account_id, CasePerson.part).where(CasePerson.case_id == case.id)
    for who, part in session.execute(rows.where(CasePerson.account_id.in_(accounts))):
        parts[who].add(part)
    staff = directory.staff(session, case.from_hospital, now)
    found: dict[UUID, Conflict] = {}
    for who, took in parts.items():
        if who == case.applicant or took & APPLYING:
            found[who] = Conflict.APPLYING
        elif who in staff:
            found[who] = Conflict.HOME
        elif took & REPORTING:
            found[who] = Conflict.TOOK_PART
    return found


def knows(session: Session, patients: Patients, case: ClinicalCase) -> set[UUID]:
    """Who answered, wrote or reviewed for this patient in another case, at whichever hospital the patient was registered."""
    if case.registration_id is None:
        return set()
    same = ClinicalCase.registration_id.in_(patients.registrations_of(session, case.registration_id))
    query = (
        select(CasePerson.account_id)
        .join(ClinicalCase, ClinicalCase.id == CasePerson.case_id)
        .where(same, ClinicalCase.id != case.id, CasePerson.part.in_(CARED))
    )
    return set(session.scalars(query))


def _cases(session: Session, accounts: Sequence[UUID], *conditions: ColumnElement[bool]) -> Mapping[UUID, int]:
    count = func.count(func.distinct(Hold.case_id))
    query = select(Hold.account_id, count).where(Hold.account_id.in_(accounts), *conditions).group_by(Hold.account_id)
    return {who: int(number) for who, number in session.execute(query)}
