"""What arrived by DICOM, a line a study, and what of it was set aside, as rows of the message centre. No line names a patient."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from tasks.cases.service import ClinicalCase, belongs
from tasks.imaging.models import CaseStudy, Quarantine, SopInstance, Study
from tasks.messages.centre import PAGE, Asked, Row, bounded, group, merged, seen
from tasks.people.service import Actor


def rows(session: Session, actor: Actor, asked: Asked, limit: int = PAGE) -> list[Row]:
    """Newest first."""
    if asked.kind not in ("", "dicom") or asked.way == "out":
        return []
    parts = []
    if asked.state in ("", "done") and not asked.words:
        parts.append(_studies(session, actor, asked, limit))
    if asked.state in ("", "trouble", "seen") and not asked.words:
        parts.append(_aside(session, actor, asked, limit))
    return merged(parts, limit)


def _studies(session: Session, actor: Actor, asked: Asked, limit: int) -> list[Row]:
    t = Study.__table__.c
    carried = CaseStudy.__table__.c
    of_cases = select(carried.tenant, carried.study_uid).where(
        belongs(actor, "message", "read", carried.tenant, carried.case_id)
    )
    theirs = or_(belongs(actor, "message", "read", t.tenant), tuple_(t.tenant, t.study_uid).in_(of_cases))
    query = select(t.tenant, t.study_uid, t.modality, t.body_part, t.received_at).where(theirs)
    if asked.before is not None:
        query = query.where(t.received_at <= asked.before[0])
    beyond = Asked(peer=asked.peer, since=asked.since, until=asked.until)
    query = query.where(*bounded(beyond, t.received_at, t.tenant, t.tenant))
    found = session.execute(query.order_by(t.received_at.desc()).limit(limit + 20)).all()
    numbers = _objects(session, [(r.tenant, r.study_uid) for r in found])
    cases = _cases(session, [(r.tenant, r.study_uid) for r in found])
    made = [
        Row(
            uuid5(NAMESPACE_OID, f"{r.tenant} {r.study_uid}"), r.received_at, "in", "dicom", "C-STORE", r.tenant, "done", "done",
            case_id=cases.get((r.tenant, r.study_uid), (None, ""))[0], ref=cases.get((r.tenant, r.study_uid), (None, ""))[1],
            objects=numbers.get((r.tenant, r.study_uid), 0), what=f"{r.modality} {r.body_part}".strip(),
        )
        for r in found
    ]  # fmt: skip
    before = asked.before
    return [row for row in made if before is None or (row.at, str(row.id)) < (before[0], str(before[1]))][:limit]


def _objects(session: Session, keys: list[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
    t = SopInstance.__table__.c
    query = select(t.tenant, t.study_uid, func.count()).where(tuple_(t.tenant, t.study_uid).in_(keys))
    return {(r[0], r[1]): r[2] for r in session.execute(query.group_by(t.tenant, t.study_uid))} if keys else {}


def _cases(session: Session, keys: list[tuple[UUID, str]]) -> dict[tuple[UUID, str], tuple[UUID, str]]:
    t = CaseStudy.__table__.c
    query = select(t.tenant, t.study_uid, ClinicalCase.id, ClinicalCase.ref).join(
        ClinicalCase, ClinicalCase.id == t.case_id
    )
    query = query.where(tuple_(t.tenant, t.study_uid).in_(keys)).order_by(ClinicalCase.created_at)
    return {(r[0], r[1]): (r[2], r[3]) for r in session.execute(query)} if keys else {}


def _aside(session: Session, actor: Actor, asked: Asked, limit: int) -> list[Row]:
    t = Quarantine.__table__.c
    put_away = seen(t.id).label("put_away")
    query: Any = select(t.id, t.received_at, t.tenant, t.reason, t.sop_uid, put_away).where(mine(actor))
    if asked.state:
        query = query.where(seen(t.id) if asked.state == "seen" else ~seen(t.id))
    query = query.where(*bounded(asked, t.received_at, t.id, t.tenant))
    found = session.execute(query.order_by(t.received_at.desc(), t.id.desc()).limit(limit))
    return [
        Row(
            r.id, r.received_at, "in", "dicom", "C-STORE", r.tenant, "quarantined", group(True, False, r.put_away), r.sop_uid, r.reason,
        )
        for r in found
    ]  # fmt: skip


def mine(actor: Actor, action: str = "read") -> ColumnElement[bool]:
    """What was set aside at hospitals where the actor may treat messages so."""
    return belongs(actor, "message", action, Quarantine.__table__.c.tenant)


def one(session: Session, actor: Actor, id_: UUID, action: str = "read") -> Quarantine | None:
    """One object that was set aside, if the actor may."""
    return session.scalar(select(Quarantine).where(Quarantine.id == id_, mine(actor, action)))


def counts(session: Session, actor: Actor, since: datetime) -> dict[str, int]:
    """How many objects were set aside and nobody has looked at, and how many studies came since an instant."""
    aside = select(func.count()).select_from(Quarantine).where(mine(actor), ~seen(Quarantine.__table__.c.id))
    theirs = belongs(actor, "message", "read", Study.__table__.c.tenant)
    came = select(func.count()).select_from(Study).where(theirs, Study.received_at >= since)
    return {"trouble": int(session.scalar(aside) or 0), "waiting": 0, "today": int(session.scalar(came) or 0)}
