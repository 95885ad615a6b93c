"""The projection of what an instance waits for, rewritten by difference in the transaction that changed it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from SpiffWorkflow.task import Task
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine import feel
from engine.feel.values import to_json
from engine.ids import uuid7
from engine.model.times import is_literal
from engine.runner import Held, Run, open_tasks
from engine.spiff import HELD, ServiceTask, Stuck, evaluate, evaluate_json, inputs
from engine.spiff_events import instant, listening
from engine.tables import wait
from engine.values import Json

Key = tuple[UUID, str, str | None]
"""A wait's identity inside an instance: task, kind, message name."""


Known = Callable[[Session, str, UUID], bool]


def anybody(_session: Session, _what: str, _id: UUID) -> bool:
    """Every id is taken for somebody's."""
    return True


@dataclass(frozen=True)
class Takers:
    """For whom a task may wait: the `roles` there are (None: any), and whether an id is known as a `scope` or `person`."""

    roles: frozenset[str] | None = None
    known: Known = anybody

    def has_role(self, value: Json) -> bool:
        """Whether the value is a role somebody can hold."""
        return isinstance(value, str) and (self.roles is None or value in self.roles)


@dataclass
class Change:
    """What has to be written: new rows, changed instants, rows that vanished."""

    insert: list[dict[str, Any]] = field(default_factory=list)
    due: dict[UUID, datetime] = field(default_factory=dict)
    delete: list[Any] = field(default_factory=list)

    def gone(self, kind: str) -> set[UUID]:
        """The tasks whose wait of this kind vanished."""
        return {row.task_id for row in self.delete if row.kind == kind}

    def cut(self, finished: Collection[UUID]) -> list[Any]:
        """The user tasks that nobody completed and that wait no more: an event took them away, or the case ended."""
        return [row for row in self.delete if row.kind == "user" and row.task_id not in finished]


def difference(session: Session, instance: Any, run: Run, ended: bool, takers: Takers) -> Change:
    """Compare what is open with the stored rows. A user task whose properties have no value is held."""
    stored = {
        (row.task_id, row.kind, row.message): row
        for row in session.execute(
            select(
                wait.c.id,
                wait.c.task_id,
                wait.c.kind,
                wait.c.message,
                wait.c.due,
                wait.c.node,
                wait.c.process,
                wait.c.form,
                wait.c.role,
                wait.c.scope,
                wait.c.person,
            ).where(wait.c.instance_id == instance.id)
        )
    }
    change = Change()
    around = _Around(session, instance, run, takers)
    wanted: set[Key] = set()
    for task in [] if ended else open_tasks(run.workflow):
        if HELD in task.internal_data:
            continue
        try:
            _add(around, task, stored, wanted, change)
        except Stuck as problem:
            task.internal_data[HELD] = problem.code
            run.held.append(Held(task.id, task.task_spec.bpmn_id, task.workflow.spec.name, problem))
    change.delete = [row for key, row in stored.items() if key not in wanted]
    return change


def write(session: Session, change: Change) -> None:
    """Write the difference."""
    if change.delete:
        session.execute(delete(wait).where(wait.c.id.in_([row.id for row in change.delete])))
    for wait_id, due in change.due.items():
        session.execute(update(wait).where(wait.c.id == wait_id).values(due=due))
    if change.insert:
        session.execute(insert(wait), change.insert)


@dataclass(frozen=True)
class _Around:
    """What the rows of one transaction are made from."""

    session: Session
    instance: Any
    run: Run
    takers: Takers


def _add(around: _Around, task: Task, stored: dict[Key, Any], wanted: set[Key], change: Change) -> None:
    spec = task.task_spec
    if spec.manual:
        key: Key = (task.id, "user", None)
        if key not in stored:
            change.insert.append(_row(around, task, "user") | _user(around, task))
        wanted.add(key)
    elif isinstance(spec, ServiceTask):
        key = (task.id, "job", None)
        if key not in stored:
            change.insert.append(_row(around, task, "job"))
        wanted.add(key)
    else:
        for one in listening(task):
            key = (task.id, one.kind, one.message)
            row = stored.get(key)
            if row is None:
                parts = {"due": one.due, "message": one.message, "correlation": one.correlation}
                change.insert.append(_row(around, task, one.kind) | parts)
            elif one.kind == "timer" and one.due is not None and row.due != one.due:
                change.due[row.id] = one.due
            wanted.add(key)


def _row(around: _Around, task: Task, kind: str) -> dict[str, Any]:
    spec, instance = task.task_spec, around.instance
    return {
        "id": uuid7(),
        "tenant": instance.tenant,
        "instance_id": instance.id,
        "business_key": instance.business_key,
        "task_id": task.id,
        "kind": kind,
        "process": task.workflow.spec.name,
        "node": spec.bpmn_id,
        "name": spec.bpmn_name,
        "name_en": spec.properties.get("name_en"),
        "form": None,
        "role": None,
        "scope": None,
        "person": None,
        "due": None,
        "reauth": False,
        "message": None,
        "correlation": None,
        "created_at": around.run.lent.now,
    }


def _user(around: _Around, task: Task) -> dict[str, Any]:
    return {
        "form": task.task_spec.properties.get("form"),
        **_who(around, task),
        "due": _due(task, around.run.lent.now),
        "reauth": _flag(task, "reauth"),
    }


def _who(around: _Around, task: Task) -> dict[str, Any]:
    """Role, scope and person of a user task; Stuck when it would lie in nobody's list, or in every hospital's."""
    role, scope, person = _value(task, "role"), _uuid(task, "scope"), _uuid(task, "person")
    given = task.task_spec.properties
    asked = [name for name in ("role", "person") if given.get(name)]
    if asked and role is None and person is None:
        raise _wrong(task, "nobody", "null: nobody can take the task", *asked)
    if role is not None and not around.takers.has_role(role):
        raise _wrong(task, "role", f"{role!r}, which is no role", "role")
    if role is not None and scope is None and given.get("scope"):
        raise _wrong(task, "scope", "null: the role would be asked for in every hospital", "scope")
    for name, id in (("scope", scope), ("person", person)):
        if id is not None and not around.takers.known(around.session, name, id):
            raise _wrong(task, name, f"{str(id)!r}, which nobody here is", name)
    return {"role": role, "scope": scope, "person": person}


def _wrong(task: Task, code: str, what: str, *names: str, kind: str = "assignment") -> Stuck:
    """The incident of properties whose values are of no use, with what they were made of."""
    sources = [task.task_spec.properties[name] for name in names]
    seen = inputs(task, [name for one in sources if not is_literal(one) for name in feel.compile(one).names])
    told = ", ".join(f"{name} = {source}" for name, source in zip(names, sources, strict=True))
    return Stuck(kind, f"wait_{code}", f"{told} is {what}", seen)


def _value(task: Task, name: str) -> Json:
    source = task.task_spec.properties.get(name)
    return evaluate_json(task, source) if source else None


def _uuid(task: Task, name: str) -> UUID | None:
    value = _value(task, name)
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError as error:
        raise _wrong(task, name, f"{value!r}, not an id", name) from error


def _due(task: Task, now: datetime) -> datetime | None:
    source = task.task_spec.properties.get("due", "").strip()
    value = source if is_literal(source) else evaluate(task, source) if source else None
    try:
        return None if value is None else instant(value, now)
    except Stuck as error:
        what = f"{to_json(value)!r}, neither an instant nor a duration from now"
        raise _wrong(task, "due", what, "due", kind="expression") from error


def _flag(task: Task, name: str) -> bool:
    value = _value(task, name) if task.task_spec.properties.get(name) else False
    if not isinstance(value, bool):
        raise _wrong(task, name, f"{value!r}, neither true nor false", name, kind="expression")
    return value
