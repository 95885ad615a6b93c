"""What a person has to look at: opened by the engine, ended by an audited word of a person."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, insert, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from engine.errors import Busy, LianyiError, NotFound, Stale
from engine.feel import FeelError, compile, from_json, to_json
from engine.ids import uuid7
from engine.promises import accept
from engine.runner import Run
from engine.spiff import Stuck, assigned, script_lines
from engine.tables import incident, job
from engine.values import Json

MAX_ATTEMPTS = 8
"""A job that failed this often in a row waits for a person."""

FAULT = "instance"
"""Kind of the incident of a case that cannot take a command as it stands."""

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from engine.api import Engine
    from engine.tx import Tx


def open_incident(
    tx: Tx,
    kind: str,
    code: str,
    detail: Mapping[str, Json],
    *,
    task_id: UUID | None = None,
    job_id: UUID | None = None,
    node: str | None = None,
) -> UUID:
    """Open an incident in this transaction; `detail` holds ids, codes and the values an expression saw."""
    made = uuid7()
    tx.session.execute(
        insert(incident).values(
            id=made,
            tenant=tx.tenant,
            instance_id=tx.instance_id,
            business_key=tx.business_key,
            task_id=task_id,
            job_id=job_id,
            node=node,
            kind=kind,
            code=code,
            detail=dict(detail),
            state="open",
            opened_at=tx.now,
        )
    )
    tx.note("incident.opened", {"incident": str(made), "kind": kind, "code": code}, task_id=task_id, node=node)
    return made


def guarded(engine: Engine, instance_id: UUID, actor: str, act: Callable[[], bool]) -> bool:
    """Carry out a command of a worker on one case, so that a case in trouble does not stop the others.

    A case somebody holds just now is taken up in the next round. One that cannot take the command becomes an incident
    and is left alone until a person has settled it. Trouble of the database itself is not the case's: it is raised.
    """
    try:
        return act()
    except Busy:
        return False
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        _log.exception("a case cannot go on", extra={"instance": str(instance_id)})
        _fault(engine, instance_id, actor, error)
        return False


def _fault(engine: Engine, instance_id: UUID, actor: str, error: Exception) -> None:
    with engine.begin(instance_id, f"fault:{uuid7()}", actor=actor) as tx:
        mine = tx.session.execute(_open(instance_id).where(incident.c.kind == FAULT)).first()
        if mine is None:
            code = str(getattr(error, "code", type(error).__name__))
            text = str(error) if isinstance(error, LianyiError) else type(error).__name__
            open_incident(tx, FAULT, code, {"text": text})


def notice(
    engine: Engine,
    instance_id: UUID,
    kind: str,
    code: str,
    detail: Mapping[str, Json],
    *,
    key: str,
    actor: str = "worker",
) -> None:
    """Open an incident that stops nothing: something about a running case a person has to know. The same key, once."""
    with engine.begin(instance_id, key, actor=actor) as tx:
        if not tx.repeated and tx.status == "running":
            open_incident(tx, kind, code, detail)


def left_alone(instance_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """SQL: the case waits for a person and takes no command of a worker."""
    return exists().where(incident.c.instance_id == instance_id, incident.c.state == "open", incident.c.kind == FAULT)


def settle(tx: Tx, run: Run) -> None:
    """Open incidents for what was held in this transaction; close those whose task is gone."""
    for row in tx.session.execute(_open(tx.instance_id)).all():
        if (row.task_id is not None and run.find(row.task_id) is None) or tx.status != "running":
            _resolve(tx, row.id, {"how": "obsolete"})
    for held in run.held:
        detail: dict[str, Json] = {"text": held.problem.detail, "inputs": held.problem.inputs, "process": held.process}
        open_incident(tx, held.problem.kind, held.problem.code, detail, task_id=held.task_id, node=held.node)


def retry(
    engine: Engine, incident_id: UUID, *, actor: str, reason: str, data: Mapping[str, Json] | None = None
) -> None:
    """Try again: the held step with some variables changed (`data`), the job from its first attempt, the whole case.

    An unknown outcome may be retried too: that is the person's word that the effect did not happen.
    """
    row = _find(engine, incident_id)
    with engine.begin(row.instance_id, _word(incident_id, "retry", actor), actor=actor) as tx:
        if tx.repeated:
            return
        _check_open(tx, incident_id)
        _resolve(tx, incident_id, {"how": "retry", "reason": reason, "changed": sorted(data or {})})
        if row.kind == FAULT or (row.job_id is None and row.task_id is None):  # it holds nothing
            return
        if row.job_id is None:
            tx.release(row.task_id, data or {})
        else:
            _again(tx, row.job_id)


class ChangeRefused(LianyiError):
    """The change cannot be read."""

    code = "change_refused"
    status = 422
    advice = (
        "Write one `name = value` a line, the value in FEEL as in the model: text in quotes, true, false, a number."
    )


def changes(text: str, inputs: Mapping[str, Json], now: datetime) -> dict[str, Json]:
    """The `data` of a retry from lines `name = FEEL` or `case.name = FEEL`; the inputs the step saw are in scope. ChangeRefused."""
    seen = dict(inputs)
    try:
        for target, source in script_lines(text):
            scope = {name: from_json(value, now.tzinfo) for name, value in seen.items()}
            seen = assigned(seen, target, to_json(compile(source).evaluate(scope, now=now)))
    except (Stuck, FeelError) as problem:
        raise ChangeRefused(str(problem)) from problem
    return {name: value for name, value in seen.items() if inputs.get(name) != value}


def resolve(engine: Engine, incident_id: UUID, *, actor: str, reason: str, result: Mapping[str, Json]) -> None:
    """Say how it ended: a job's result as if its handler had given it. A held step can only be retried."""
    row = _find(engine, incident_id)
    with engine.begin(row.instance_id, _word(incident_id, "resolve", actor), actor=actor) as tx:
        if tx.repeated:
            return
        _check_open(tx, incident_id)
        if row.job_id is None:
            raise Stale("A held step is retried with changed variables, not resolved.", incident=str(incident_id))
        operation = tx.session.execute(select(job.c.operation).where(job.c.id == row.job_id)).scalar_one()
        accept(engine.signatures[operation], result)
        _resolve(tx, incident_id, {"how": "resolved", "reason": reason, "result": dict(result)})
        tx.session.execute(
            update(job).where(job.c.id == row.job_id).values(state="done", result=dict(result), finished_at=tx.now)
        )
        tx.job_done(row.task_id, dict(result))


def _word(incident_id: UUID, how: str, actor: str) -> str:
    """The key of a person's word: the same one twice is heard once, another one comes too late and is told so."""
    return f"incident:{incident_id}:{how}:{actor}"


def _again(tx: Tx, job_id: UUID) -> None:
    """A new series of attempts. Attempts are never counted down, so that a late worker's fence stays good."""
    mine = job.c.id == job_id, job.c.state == "incident"
    spent = tx.session.execute(select(job.c.attempt).where(*mine)).scalar()
    if spent is None:
        raise Stale("The job does not wait for a person any more.", job=str(job_id))
    attempt = -(-spent // MAX_ATTEMPTS) * MAX_ATTEMPTS
    tx.session.execute(
        update(job).where(*mine).values(state="ready", attempt=attempt, run_at=tx.now, owner=None, lease_until=None)
    )


def _open(instance_id: UUID) -> Any:
    return select(incident).where(incident.c.instance_id == instance_id, incident.c.state == "open")


def _find(engine: Engine, incident_id: UUID) -> Any:
    with engine.db.read() as session:
        row = session.execute(select(incident).where(incident.c.id == incident_id)).first()
    if row is None:
        raise NotFound("There is no such incident.", incident=str(incident_id))
    return row


def _check_open(tx: Tx, incident_id: UUID) -> None:
    if tx.session.execute(select(incident.c.state).where(incident.c.id == incident_id)).scalar_one() != "open":
        raise Stale("The incident is settled already.", incident=str(incident_id))


def _resolve(tx: Tx, incident_id: UUID, resolution: Mapping[str, Json]) -> None:
    session: Session = tx.session
    session.execute(
        update(incident)
        .where(incident.c.id == incident_id)
        .values(state="resolved", resolved_at=tx.now, resolved_by=tx.actor, resolution=dict(resolution))
    )
    tx.note("incident.resolved", {"incident": str(incident_id), **resolution})
