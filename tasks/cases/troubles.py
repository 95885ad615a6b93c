"""What has stopped in a case and waits for a person: what it is, what may be done about it, and doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine import Effect, Engine, NotFound, Refused, Type, incidents
from engine.tables import incident, instance, job
from engine.values import Json
from tasks.cases import trace
from tasks.cases.models import ClinicalCase
from tasks.cases.visibility import visible_cases
from tasks.people.service import Actor

Act = Literal["again", "sent", "change", "seen"]
CHANGED: Final = frozenset({"expression", "decision", "assignment"})
"""Kinds of a held step whose variables a person may set right."""
NOTHING: Final[Mapping[Type, Json]] = {
    Type.TEXT: "", Type.NUMBER: 0, Type.BOOLEAN: False, Type.LIST: [], Type.CONTEXT: {}, Type.ANY: None,
    Type.DATETIME: {"@": "dt", "v": "1970-01-01T00:00:00+00:00"}, Type.DURATION: {"@": "dur", "v": "PT0S"},
}  # fmt: skip
"""What an operation hands back whose effect a person vouches for."""
PAGE = 100


@dataclass(frozen=True)
class Trouble:
    """One open incident. `case_id` and `ref` are None and empty where no case belongs to it; `node` are the step's names in
    Chinese and English; `inputs` are the values an expression saw; `acts` what may be done, the first one proposed."""

    id: UUID
    case_id: UUID | None
    ref: str
    kind: str
    code: str
    node: tuple[str, str]
    operation: str
    attempts: int
    text: str
    inputs: Mapping[str, Json]
    at: datetime
    acts: tuple[Act, ...]


def listed(session: Session, actor: Actor, at: datetime) -> list[Trouble]:
    """The oldest hundred open incidents which the actor may know of."""
    query = _open(actor, at, "read").order_by(incident.c.opened_at, incident.c.id).limit(PAGE)
    return [_trouble(session, row) for row in session.execute(query)]


def one(session: Session, actor: Actor, incident_id: UUID, at: datetime, action: str = "read") -> Trouble:
    """One open incident. NotFound, also for whom it does not concern and when it is settled."""
    row = session.execute(_open(actor, at, action).where(incident.c.id == incident_id)).first()
    if row is None:
        raise NotFound("incident", id=str(incident_id))
    return _trouble(session, row)


def settle(engine: Engine, actor: Actor, incident_id: UUID, act: str, reason: str, changes: str = "") -> None:
    """Do what a person decided, for a reason that stays in the history. NotFound, Refused, ChangeRefused, Stale.

    again: the job from its first attempt, the held step, the whole case. sent: it went out, the case goes on. change: the
    held step with variables set by lines `name = FEEL`. seen: a person has seen to it, the case went on all the time.
    """
    now = engine.clock.now()
    with engine.db.read() as session:
        found = one(session, actor, incident_id, now, "settle")
    if act not in found.acts or len(reason.strip()) < 2:
        raise Refused("choose what to do and say why")
    why = reason.strip()[:300]
    if act == "sent":
        result = {name: NOTHING[kind] for name, kind in engine.signatures[found.operation].result.items()}
        incidents.resolve(engine, incident_id, actor=actor.id, reason=why, result=result)
        return
    data = incidents.changes(changes, found.inputs, now.astimezone(engine.zone)) if act == "change" else {}
    incidents.retry(engine, incident_id, actor=actor.id, reason=why, data=data)


def _open(actor: Actor, at: datetime, action: str) -> Select[Any]:
    columns = (
        incident, ClinicalCase.id.label("case_id"), ClinicalCase.ref, instance.c.definition_id, job.c.operation, job.c.attempt,
        job.c.effect,
    )  # fmt: skip
    return (
        select(*columns)
        .join(instance, instance.c.id == incident.c.instance_id)
        .outerjoin(ClinicalCase, ClinicalCase.instance_id == incident.c.instance_id)
        .outerjoin(job, job.c.id == incident.c.job_id)
        .where(incident.c.state == "open", visible_cases(actor, at, kind="incident", action=action))
    )


def _trouble(session: Session, row: Any) -> Trouble:
    names = trace.step_names(session, row.definition_id)
    detail: Mapping[str, Any] = row.detail
    return Trouble(
        id=row.id, case_id=row.case_id, ref=row.ref or "", kind=row.kind, code=row.code,
        node=names.get(row.node, (row.node or "", row.node or "")), operation=row.operation or "", attempts=row.attempt or 0,
        text=str(detail.get("text", "")), inputs=detail.get("inputs") or {}, at=row.opened_at, acts=acts(row.kind, row.effect),
    )  # fmt: skip


def acts(kind: str, effect: str | None) -> tuple[Act, ...]:
    """What may be done about an incident of this kind, whose job has this effect (None: it is about no job)."""
    if kind == "image":
        return ("seen",)
    if kind == "unknown_outcome":
        return ("sent", "again") if effect == Effect.ONCE else ("again",)
    return ("change",) if kind in CHANGED and effect is None else ("again",)
