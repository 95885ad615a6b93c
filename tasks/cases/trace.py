"""What the engine remembers of a case: every entry in order, where each process stands, and its diagram."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.model import Bundle, describe
from engine.tables import definition, history, incident, instance, job, wait
from tasks.cases import node_names
from tasks.people import directory


@dataclass(frozen=True)
class Entry:
    """One entry of the history, ready to be shown; `result` is what an operation handed back to the model."""

    id: str
    at: datetime
    kind: str
    actor: str
    on_behalf: str | None
    node: str
    process: str
    operation: str | None
    result: Any
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """One process of the case's version: its names, where it stands, and the names of its steps."""

    name: str
    name_en: str
    passed: tuple[str, ...]
    active: tuple[str, ...]
    incidents: tuple[str, ...]
    nodes: Mapping[str, tuple[str, str]]

    @property
    def state(self) -> dict[str, Any]:
        """The same as the diagram wants it."""
        return {"passed": self.passed, "active": self.active, "incident": dict.fromkeys(self.incidents, 1)}


HIDDEN = "hidden"
"""The actor of an entry whose name its reader must not learn."""


def entries(session: Session, instance_id: UUID, hidden: Collection[UUID]) -> list[Entry]:
    """The history of one instance in order; people are named, but not those `hidden` from its reader (`Cases.hidden`)."""
    query = select(history).where(history.c.instance_id == instance_id).order_by(history.c.at, history.c.id)
    found = session.execute(query).all()
    jobs = session.execute(
        select(job.c.id, job.c.task_id, job.c.operation, job.c.result).where(job.c.instance_id == instance_id)
    ).all()
    done = {str(j.id): j for j in jobs}
    names = directory.names(session, [a for e in found if (a := _account(e.actor)) is not None])
    names |= dict.fromkeys(hidden, HIDDEN)
    covered = {str(h) for h in hidden}
    places = {
        e.task_id: (json.loads(e.data).get("process", ""), e.node or "")
        for e in found
        if e.kind == "step" and e.task_id
    }
    return [_entry(e, names, done, places, covered) for e in found]


def _entry(
    e: Any, names: Mapping[UUID, str], done: Mapping[str, Any], places: Mapping[UUID, tuple[str, str]], covered: Collection[str],
) -> Entry:  # fmt: skip
    data = _cover(json.loads(e.data), covered)
    account = _account(e.actor)
    process, node = places.get(e.task_id, (data.get("process", ""), e.node or ""))
    called = done.get(str(data.get("job")))
    return Entry(
        id=str(e.id), at=e.at, kind=e.kind, actor=names.get(account, e.actor) if account else e.actor, on_behalf=_cover(e.on_behalf, covered), node=node,
        process=process, operation=called.operation if called else data.get("operation"), result=_cover(called.result, covered) if called else None, data=data,
    )  # fmt: skip


def _cover(value: Any, covered: Collection[str]) -> Any:
    """The same value without the ids of those whom the reader must not know."""
    if not covered:
        return value
    if isinstance(value, dict):
        return {k: _cover(v, covered) for k, v in value.items()}
    if isinstance(value, list):
        return [_cover(v, covered) for v in value]
    return HIDDEN if isinstance(value, str) and value in covered else value


def _account(actor: str) -> UUID | None:
    try:
        return UUID(actor)
    except ValueError:
        return None


def standings(session: Session, instance_id: UUID) -> dict[str, Standing]:
    """Where every process of the instance's version stands, by process id, top first."""
    views = describe(bundle_of(session, instance_id))
    steps = session.execute(
        select(history.c.node, history.c.data).where(history.c.instance_id == instance_id, history.c.kind == "step")
    ).all()
    inside = {node: name for name, view in views.items() for node in view.nodes}  # an embedded sub-process is a node
    passed: dict[str, set[str]] = {}
    for node, data in steps:
        process = json.loads(data).get("process", "")
        passed.setdefault(process if process in views else inside.get(process, ""), set()).add(node)
    waiting = session.execute(select(wait.c.process, wait.c.node).where(wait.c.instance_id == instance_id)).all()
    open_ = select(incident.c.node).where(incident.c.instance_id == instance_id, incident.c.state == "open")
    troubles = set(session.scalars(open_))
    return {
        name: Standing(
            name=view.name, name_en=view.name_en, passed=tuple(sorted(passed.get(name, ()))),
            active=tuple(sorted({w.node for w in waiting if name in (w.process, inside.get(w.process))})), incidents=tuple(sorted(t for t in troubles if t in view.nodes)),
            nodes=node_names.names(view),
        )
        for name, view in views.items()
    }  # fmt: skip


def working(session: Session, instance_id: UUID, at: datetime) -> bool:
    """Whether the system is at work on the case just now, so that what a page shows of it will be another thing in a moment."""
    due = job.c.state.in_(("leased", "sent")) | ((job.c.state == "ready") & (job.c.run_at <= at))
    return session.execute(select(job.c.id).where(job.c.instance_id == instance_id, due).limit(1)).first() is not None


def diagram(session: Session, instance_id: UUID, process: str) -> bytes | None:
    """The XML of one process of the instance's version; None when there is no such process."""
    view = describe(bundle_of(session, instance_id)).get(process)
    return None if view is None else view.xml


def bundle_of(session: Session, instance_id: UUID) -> Bundle:
    """The models, tables and forms of the version an instance runs by."""
    join = definition.join(instance, instance.c.definition_id == definition.c.id)
    content = session.execute(
        select(definition.c.content).select_from(join).where(instance.c.id == instance_id)
    ).scalar_one()
    return Bundle.from_bytes(content)


_NAMES: dict[UUID, dict[str, tuple[str, str]]] = {}
"""Names of the steps of each version; a version never changes."""


def step_names(session: Session, definition_id: UUID) -> dict[str, tuple[str, str]]:
    """The Chinese and English names of every step of a version, by its id."""
    if definition_id not in _NAMES:
        content = session.execute(select(definition.c.content).where(definition.c.id == definition_id)).scalar_one()
        views = describe(Bundle.from_bytes(content)).values()
        _NAMES[definition_id] = {i: words for view in views for i, words in node_names.names(view).items()}
    return _NAMES[definition_id]
