"""Short messages out and their answers, as rows of the message centre."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from tasks.cases.service import ClinicalCase, belongs
from tasks.messages.centre import PAGE, Asked, Row, bounded, group, grouped, merged, seen, worded
from tasks.notify.models import SmsMessage, SmsReply
from tasks.people.service import Actor

IN_TROUBLE: Final = ("failed", "unknown", "refused", "undelivered")
UNDER_WAY: Final = ("sending", "queued", "accepted", "sent")


def rows(session: Session, actor: Actor, asked: Asked, limit: int = PAGE) -> list[Row]:
    """Newest first: what was sent to people, and what they answered."""
    if asked.kind not in ("", "sms"):
        return []
    parts = []
    if asked.way != "in":
        parts.append(_went(session, actor, asked, limit))
    if asked.way != "out" and asked.state in ("", "done"):
        parts.append(_came(session, actor, asked, limit))
    return merged(parts, limit)


def _went(session: Session, actor: Actor, asked: Asked, limit: int) -> list[Row]:
    t = SmsMessage.__table__.c
    columns = (
        t.id,
        t.created_at,
        t.tenant,
        t.state,
        t.case_id,
        t.account_id,
        t.text,
        t.provider,
        ClinicalCase.ref,
        seen(t.id).label("put_away"),
    )
    query: Any = select(*columns).outerjoin(ClinicalCase, ClinicalCase.id == t.case_id).where(mine(actor))
    query = query.where(*grouped(asked, t.id, t.state.in_(IN_TROUBLE), t.state.in_(UNDER_WAY)))
    query = query.where(*bounded(asked, t.created_at, t.id, t.tenant), *worded(asked, ClinicalCase.ref, t.text))
    found = session.execute(query.order_by(t.created_at.desc(), t.id.desc()).limit(limit))
    return [
        Row(
            r.id, r.created_at, "out", "sms", "SMS", r.tenant, r.state, group(r.state in IN_TROUBLE, r.state in UNDER_WAY, r.put_away),
            case_id=r.case_id, ref=r.ref or "", account=r.account_id, what=r.text,
        )
        for r in found
    ]  # fmt: skip


def _came(session: Session, actor: Actor, asked: Asked, limit: int) -> list[Row]:
    t = SmsReply.__table__.c
    query = select(t.id, t.received_at, t.tenant, t.text, t.effect).where(belongs(actor, "message", "read", t.tenant))
    query = query.where(*bounded(asked, t.received_at, t.id, t.tenant), *worded(asked, t.text))
    found = session.execute(query.order_by(t.received_at.desc(), t.id.desc()).limit(limit))
    return [Row(r.id, r.received_at, "in", "sms", "SMS", r.tenant, r.effect, "done", what=r.text) for r in found]


def mine(actor: Actor, action: str = "read") -> ColumnElement[bool]:
    """The short messages which the actor may treat so."""
    columns = SmsMessage.__table__.c
    return belongs(actor, "message", action, columns.tenant, columns.case_id)


def one(session: Session, actor: Actor, id_: UUID, action: str = "read") -> SmsMessage | SmsReply | None:
    """One short message or answer, if the actor may."""
    sent = session.scalar(select(SmsMessage).where(SmsMessage.id == id_, mine(actor, action)))
    theirs = belongs(actor, "message", action, SmsReply.__table__.c.tenant)
    return sent or session.scalar(select(SmsReply).where(SmsReply.id == id_, theirs))


def counts(session: Session, actor: Actor, since: datetime) -> dict[str, int]:
    """How many need somebody, are under way, and went or came since an instant."""
    t = SmsMessage.__table__.c
    trouble = and_(t.state.in_(IN_TROUBLE), ~seen(t.id))
    conditions = {"trouble": trouble, "waiting": t.state.in_(UNDER_WAY), "today": t.created_at >= since}
    found = {
        name: int(session.scalar(select(func.count()).select_from(SmsMessage).where(mine(actor), c)) or 0)
        for name, c in conditions.items()
    }
    theirs = belongs(actor, "message", "read", SmsReply.__table__.c.tenant)
    came = select(func.count()).select_from(SmsReply).where(theirs, SmsReply.received_at >= since)
    found["today"] += int(session.scalar(came) or 0)
    return found
