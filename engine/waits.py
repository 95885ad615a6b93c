"""The projection of what an instance waits for, rewritten by difference in the transaction that changed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from SpiffWorkflow.task import Task
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine.ids import uuid7
from engine.runner import Held, Run, open_tasks
from engine.spiff import HELD, ServiceTask, Stuck, evaluate, evaluate_json
from engine.spiff_events import instant, is_literal, listening
from engine.tables import wait

Key = tuple[UUID, str, str | None]
"""A wait's identity inside an instance: task, kind, message name."""


@dataclass
class Change:
    """What has to be written: new rows, changed instants, rows that vanished."""

    insert: list[dict[str, Any]] = field(default_factory=list)
    due: dict[UUID, datetime] = field(default_factory=dict)
    delete: list[Any] = field(default_factory=list)

    def gone(self, kind: str) -> set[UUID]:
        """The tasks whose wait of this kind vanished."""
        return {row.task_id for row in self.delete if row.kind == kind}


def difference(session: Session, instance: Any, run: Run, ended: bool) -> Change:
    """Compare what is open with the stored rows. A user task whose properties have no value is held."""
    stored = {
        (row.task_id, row.kind, row.message): row
        for row in session.execute(
            select(
                wait.c.id, wait.c.task_id, wait.c.kind, wait.c.message, wait.c.due, wait.c.node, wait.c.process
            ).where(wait.c.instance_id == instance.id)
        )
    }
    change = Change()
    wanted: set[Key] = set()
    for task in [] if ended else open_tasks(run.workflow):
        if HELD in task.internal_data:
            continue
        try:
            _add(instance, run, task, stored, wanted, change)
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


def _add(instance: Any, run: Run, task: Task, stored: dict[Key, Any], wanted: set[Key], change: Change) -> None:
    spec = task.task_spec
    if spec.manual:
        key: Key = (task.id, "user", None)
        if key not in stored:
            change.insert.append(_row(instance, run, task, "user") | _user(task, run.lent.now))
        wanted.add(key)
    elif isinstance(spec, ServiceTask):
        key = (task.id, "job", None)
        if key not in stored:
            change.insert.append(_row(instance, run, task, "job"))
        wanted.add(key)
    else:
        for one in listening(task):
            key = (task.id, one.kind, one.message)
            row = stored.get(key)
            if row is None:
                parts = {"due": one.due, "message": one.message, "correlation": one.correlation}
                change.insert.append(_row(instance, run, task, one.kind) | parts)
            elif one.kind == "timer" and one.due is not None and row.due != one.due:
                change.due[row.id] = one.due
            wanted.add(key)


def _row(instance: Any, run: Run, task: Task, kind: str) -> dict[str, Any]:
    spec = task.task_spec
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
        "created_at": run.lent.now,
    }


def _user(task: Task, now: datetime) -> dict[str, Any]:
    given = task.task_spec.properties
    role = evaluate_json(task, given["role"]) if given.get("role") else None
    return {
        "form": given.get("form"),
        "role": None if role is None else str(role),
        "scope": _uuid(task, "scope"),
        "person": _uuid(task, "person"),
        "due": _due(task, now),
        "reauth": _flag(task, "reauth"),
    }


def _uuid(task: Task, name: str) -> UUID | None:
    source = task.task_spec.properties.get(name)
    value = evaluate_json(task, source) if source else None
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError as error:
        raise Stuck("expression", f"wait_{name}", f"{source} is {value!r}, not an id") from error


def _due(task: Task, now: datetime) -> datetime | None:
    source = task.task_spec.properties.get("due")
    if not source:
        return None
    value = source.strip() if is_literal(source.strip()) else evaluate(task, source)
    return None if value is None else instant(value, now)


def _flag(task: Task, name: str) -> bool:
    source = task.task_spec.properties.get(name)
    value = evaluate_json(task, source) if source else False
    if not isinstance(value, bool):
        raise Stuck("expression", f"wait_{name}", f"{source} is {value!r}, neither true nor false")
    return value
