"""What the message centre shows of a message, whatever carried it, and what it is narrowed to. HL7 in and out are read here; short
messages and images by the services that keep them, each as the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from engine.db import Instant, Uuid
from tasks.cases.service import ClinicalCase, belongs
from tasks.messages.models import Inbound, MessageSeen, Outbound
from tasks.people.service import Actor

PAGE = 50
Group = Literal["trouble", "waiting", "done", "seen"]
IN_TROUBLE: Final = ("failed", "quarantined")


@dataclass(frozen=True)
class Asked:
    """What is asked for: `state` a group, `way` in or out, `kind` hl7, dicom or sms, `peer` a hospital, instants from `since` to
    `until` (excluded), `words` part of a control number; `before` is (instant, id) of the last one seen."""

    state: str = ""
    way: str = ""
    kind: str = ""
    peer: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    before: tuple[datetime, UUID] | None = None


@dataclass(frozen=True)
class Row:
    """One message. `control` is its number at the peer, `account` the person of a short message, `objects` the number of images;
    `what` says what it is about in the words of its kind. No row names a patient."""

    id: UUID
    at: datetime
    way: str
    kind: str
    type: str
    tenant: UUID
    state: str
    group: Group
    control: str = ""
    problem: str = ""
    case_id: UUID | None = None
    ref: str = ""
    account: UUID | None = None
    objects: int = 0
    what: str = ""


def seen(id_: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Whether somebody has put this message away as seen."""
    return id_.in_(select(MessageSeen.message_id))


def grouped(
    asked: Asked, id_: SQLColumnExpression[Any], trouble: ColumnElement[bool], waiting: ColumnElement[bool]
) -> list[ColumnElement[bool]]:
    """The condition of the group that is asked for."""
    if asked.state == "trouble":
        return [trouble, ~seen(id_)]
    if asked.state == "seen":
        return [trouble, seen(id_)]
    if asked.state == "waiting":
        return [waiting]
    return [~or_(trouble, waiting)] if asked.state == "done" else []


def bounded(
    asked: Asked, at: SQLColumnExpression[Any], id_: SQLColumnExpression[Any], tenant: SQLColumnExpression[Any]
) -> list[ColumnElement[bool]]:
    """Conditions of time, hospital and page."""
    found: list[ColumnElement[bool]] = []
    if asked.peer is not None:
        found.append(tenant == asked.peer)
    if asked.since is not None:
        found.append(at >= asked.since)
    if asked.until is not None:
        found.append(at < asked.until)
    if asked.before is not None:
        found.append(tuple_(at, id_) < tuple_(literal(asked.before[0], Instant), literal(asked.before[1], Uuid)))
    return found


def merged(parts: Iterable[Sequence[Row]], limit: int = PAGE) -> list[Row]:
    """The newest of several lists of newest rows."""
    rows = [row for part in parts for row in part]
    return sorted(rows, key=lambda row: (row.at, str(row.id)), reverse=True)[:limit]


def hl7(session: Session, actor: Actor, asked: Asked, limit: int = PAGE) -> list[Row]:
    """HL7 messages of both ways, and the objects we sent by DICOM, newest first."""
    parts = []
    if asked.way != "out" and asked.kind in ("", "hl7"):
        parts.append(_came(session, actor, asked, limit))
    if asked.way != "in" and asked.kind in ("", "hl7", "dicom"):
        parts.append(_went(session, actor, asked, limit))
    return merged(parts, limit)


def _came(session: Session, actor: Actor, asked: Asked, limit: int) -> list[Row]:
    t = Inbound.__table__.c
    put_away = seen(t.id).label("put_away")
    query = select(t.id, t.received_at, t.kind, t.tenant, t.state, t.control, t.problem, put_away).where(came(actor))
    query = query.where(*grouped(asked, t.id, t.state.in_(IN_TROUBLE), t.state == "pending"))
    query = query.where(*bounded(asked, t.received_at, t.id, t.tenant), *worded(asked, t.control))
    rows = session.execute(query.order_by(t.received_at.desc(), t.id.desc()).limit(limit))
    return [
        Row(
            r.id, r.received_at, "in", "hl7", r.kind, r.tenant, r.state, group(r.state in IN_TROUBLE, r.state == "pending", r.put_away),
            r.control, r.problem or "",
        )
        for r in rows
    ]  # fmt: skip


def _went(session: Session, actor: Actor, asked: Asked, limit: int) -> list[Row]:
    t = Outbound.__table__.c
    columns = (
        t.id,
        t.created_at,
        t.kind,
        t.tenant,
        t.state,
        t.key,
        t.case_id,
        ClinicalCase.ref,
        seen(t.id).label("put_away"),
    )
    query: Select[Any] = select(*columns).outerjoin(ClinicalCase, ClinicalCase.id == t.case_id).where(went(actor))
    if asked.kind == "dicom":
        query = query.where(t.kind == "C-STORE")
    if asked.kind == "hl7":
        query = query.where(t.kind != "C-STORE")
    query = query.where(*grouped(asked, t.id, t.state == "failed", t.state == "sending"))
    query = query.where(*bounded(asked, t.created_at, t.id, t.tenant), *worded(asked, t.key, ClinicalCase.ref))
    rows = session.execute(query.order_by(t.created_at.desc(), t.id.desc()).limit(limit))
    return [
        Row(
            r.id, r.created_at, "out", "dicom" if r.kind == "C-STORE" else "hl7", r.kind, r.tenant, r.state,
            group(r.state == "failed", r.state == "sending", r.put_away), r.key, case_id=r.case_id, ref=r.ref or "",
        )
        for r in rows
    ]  # fmt: skip


def group(trouble: bool, waiting: bool, put_away: bool) -> Group:
    """The group of one message."""
    return ("seen" if put_away else "trouble") if trouble else "waiting" if waiting else "done"


def worded(asked: Asked, *columns: SQLColumnExpression[Any]) -> list[ColumnElement[bool]]:
    """The condition that one of these columns has the words that were typed."""
    words = asked.words.upper()
    return [or_(*(func.upper(c).contains(words, autoescape=True) for c in columns))] if words else []


def came(actor: Actor) -> ColumnElement[bool]:
    """The HL7 messages that arrived of which the actor may know."""
    return belongs(actor, "message", "read", Inbound.__table__.c.tenant)


def went(actor: Actor, action: str = "read") -> ColumnElement[bool]:
    """The messages that went out which the actor may treat so."""
    columns = Outbound.__table__.c
    return belongs(actor, "message", action, columns.tenant, columns.case_id)


def counts(session: Session, actor: Actor, since: datetime) -> dict[str, int]:
    """How many HL7 and DICOM messages of those the actor may know of need somebody, wait, and came or went since an instant."""
    found = {"trouble": 0, "waiting": 0, "today": 0}
    sides = (
        (
            Inbound.__table__.c,
            came(actor),
            Inbound.state.in_(IN_TROUBLE),
            Inbound.state == "pending",
            Inbound.received_at,
        ),
        (
            Outbound.__table__.c,
            went(actor),
            Outbound.state == "failed",
            Outbound.state == "sending",
            Outbound.created_at,
        ),
    )
    for columns, mine, trouble, waiting, at in sides:
        for name, condition in (
            ("trouble", and_(trouble, ~seen(columns.id))),
            ("waiting", waiting),
            ("today", at >= since),
        ):
            query = select(func.count()).select_from(columns.id.table).where(mine, condition)
            found[name] += int(session.scalar(query) or 0)
    return found


def delays(session: Session, actor: Actor, since: datetime, most: int = 500) -> list[float]:
    """Seconds from sending to the peer's word of the newest messages delivered since an instant, shortest first."""
    query = select(Outbound.created_at, Outbound.delivered_at).where(
        went(actor), Outbound.created_at >= since, Outbound.state == "delivered"
    )
    rows = session.execute(query.order_by(Outbound.created_at.desc()).limit(most))
    return sorted((r.delivered_at - r.created_at).total_seconds() for r in rows if r.delivered_at)
