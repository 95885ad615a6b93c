"""What became of a task that nobody handed in: an event took it away, or the case ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.tables import history
from forms import FormDef
from tasks.cases.service import CaseFacts, Cases, ClinicalCase
from tasks.people.service import Actor, OpenTask, member
from tasks.worklist.models import Draft


@dataclass(frozen=True)
class Cut:
    """When a task was taken away and by what: `events` are nodes of the model, `stopped` why the whole case ended."""

    process: str
    node: str
    form: str
    instance_id: UUID
    at: datetime
    events: tuple[str, ...]
    stopped: str | None
    case: CaseFacts | None
    draft: Mapping[str, Any]


def cut(session: Session, cases: Cases, actor: Actor, task_id: UUID) -> Cut:
    """For whom it had waited, and for whoever sees its case. NotFound."""
    told = select(history).where(history.c.kind == literal_column("'task.cut'"), history.c.task_id == task_id)
    entry = session.execute(told).first()
    if entry is None or entry.instance_id is None:
        raise NotFound("task", id=str(task_id))
    data = json.loads(entry.data)
    case = session.scalar(select(ClinicalCase).where(ClinicalCase.instance_id == entry.instance_id))
    seen = case is not None and cases.allowed(session, actor, case, "case", "list")
    whose = OpenTask(data.get("role"), _id(data.get("scope")), _id(data.get("person")))
    if not seen and not member(actor, whose):
        raise NotFound("task", id=str(task_id))
    draft = session.get(Draft, (task_id, actor.account_id))
    shown = cases.shown_to(session, actor, [case]) if case is not None and seen else []
    return Cut(
        process=str(data.get("process", "")), node=entry.node or "", form=str(data.get("form", "")), instance_id=entry.instance_id,
        at=entry.at, events=_events(session, entry), stopped=case.stop_reason if case is not None else None, case=shown[0] if shown else None,
        draft=draft.data if draft else {},
    )  # fmt: skip


def written(form: FormDef, data: Mapping[str, Any], lang: str) -> list[tuple[str, str]]:
    """Label and words of every text somebody wrote in a form."""
    found = []
    for field in form.fields:
        value = data.get(field.name)
        single = value[-1] if isinstance(value, list | tuple) and value else value
        if field.type in ("text", "textarea", "rich") and isinstance(single, str) and single.strip():
            found.append((field.label.get(lang) or field.label["zh"], single.strip()))
    return found


def _events(session: Session, entry: Any) -> tuple[str, ...]:
    """The events that happened to the case in the same moment, in order."""
    steps = select(history.c.node, history.c.data).where(
        history.c.instance_id == entry.instance_id, history.c.at == entry.at, history.c.kind == "step"
    )
    found = session.execute(steps.order_by(history.c.id)).all()
    return tuple(node for node, data in found if json.loads(data).get("type") == "BoundaryEvent")


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
