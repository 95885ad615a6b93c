"""The one queue. A job is claimed under a lease, its effect carried out by its class, its result handed back by a command.

An attempt is counted when the job is claimed, so that a handler that kills its worker runs out of attempts too. A result
applies only while the claimant still holds that attempt; a late one is kept as evidence in the history and changes
nothing.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session

from engine import messages, timers
from engine.api import Engine
from engine.db import crash_point
from engine.ids import uuid7
from engine.incidents import MAX_ATTEMPTS, open_incident
from engine.operations import BpmnError, Call, Effect, NotDone, Operation, Permanent, Unknown
from engine.results import ResultMismatch, accept
from engine.tables import job
from engine.tx import Tx, open_job
from engine.values import Json

LEASE = timedelta(minutes=5)
FIRST_DELAY = 10.0
IDLE_WAIT = 0.5
RENEWALS = 24
"""How often a lease is renewed while its handler works; after that the handler is taken for stuck."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimed:
    """A job in this worker's hands."""

    id: UUID
    instance_id: UUID
    task_id: UUID
    tenant: UUID
    business_key: str
    operation: str
    effect: Effect
    attempt: int
    args: Mapping[str, Json]
    token: str


class Worker:
    """Carries out jobs, fires timers, relays messages. Any number of them may run, on any number of machines."""

    def __init__(
        self, engine: Engine, operations: Mapping[str, Operation], *, name: str, lease: timedelta = LEASE
    ) -> None:
        """`name` must be unique among living workers; `lease` is how long a crashed worker's job stays untouched."""
        self.engine = engine
        self.operations = operations
        self.name = name
        self.lease = lease

    def run_once(self) -> bool:
        """One round of timers, messages and one job; False when there was nothing to do."""
        fired = timers.poll(self.engine)
        relayed = messages.relay(self.engine)
        expired = self._expire()
        claimed = self._claim()
        if claimed is not None:
            self._carry_out(claimed)
        return fired or relayed or expired or claimed is not None

    def run_until_idle(self, limit: int = 10_000) -> int:
        """Rounds until nothing is left that can be done now; the number of rounds. For tests and tools."""
        for done in range(limit):
            if not self.run_once():
                return done
        raise RuntimeError(f"still busy after {limit} rounds: two models may be sending each other messages for ever")

    def run_forever(self, stop: threading.Event) -> None:
        """Rounds until `stop` is set."""
        while not stop.is_set():
            try:
                busy = self.run_once()
            except Exception:
                _log.exception("worker round failed", extra={"worker": self.name})
                busy = False
                stop.wait(1.0)
            if not busy:
                stop.wait(IDLE_WAIT)

    def _claim(self) -> Claimed | None:
        now = self.engine.clock.now()
        with self.engine.db.transaction() as session:
            row = session.execute(_next(now)).first()
            if row is None:
                return None
            held = {"state": "leased", "attempt": row.attempt + 1, "owner": self.name, "lease_until": now + self.lease}
            session.execute(update(job).where(job.c.id == row.id).values(**held))
        crash_point("claimed")
        return Claimed(
            row.id,
            row.instance_id,
            row.task_id,
            row.tenant,
            row.business_key,
            row.operation,
            Effect(row.effect),
            row.attempt + 1,
            row.args,
            uuid7().hex,
        )

    def _expire(self) -> bool:
        """Take back what a dead worker held: try again, or an incident when it was sent or has no attempts left."""
        now = self.engine.clock.now()
        with self.engine.db.read() as session:
            lost = session.execute(
                select(job.c.id, job.c.instance_id, job.c.attempt, job.c.lease_until)
                .where(job.c.state.in_(("leased", "sent")), job.c.lease_until <= now)
                .limit(20)
            ).all()
        for row in lost:
            with self.engine.begin(
                row.instance_id, f"job:{row.id}:expired:{row.lease_until.isoformat()}", actor=self.name
            ) as tx:
                found = open_job(tx.session, row.id)
                if tx.repeated or found.attempt != row.attempt or found.state not in ("leased", "sent"):
                    continue
                if found.state == "sent":
                    _stop(tx, found, "unknown_outcome", "lease_expired", "the worker died after the effect was begun")
                elif found.attempt % MAX_ATTEMPTS == 0:
                    _stop(tx, found, "job", "attempts_spent", "the worker died at every attempt")
                else:
                    _set(tx.session, row.id, state="ready", owner=None, lease_until=None, run_at=now)
        return bool(lost)

    def _carry_out(self, claimed: Claimed) -> None:
        operation = self.operations.get(claimed.operation)
        if operation is None:
            self._failed(claimed, "operation_unbound", "this worker has no handler for it", final=True)
            return
        try:
            if claimed.effect is Effect.LOCAL:
                self._local(claimed, operation)
            else:
                if claimed.effect is Effect.ONCE and not self._mark_sent(claimed):
                    return
                with self._renewed(claimed):
                    result = self._call(claimed, operation)
                crash_point("effected")
                self._done(claimed, accept(operation.signature, result))
        except BpmnError as error:
            self._bpmn_error(claimed, operation, error)
        except ResultMismatch as error:
            happened = claimed.effect is Effect.ONCE  # the effect is out in the world: it must not be had a second time
            self._failed(claimed, "unknown_outcome" if happened else error.code, str(error), final=True)
        except Permanent as error:
            self._failed(claimed, "permanent", str(error), final=True)
        except Unknown as error:
            self._failed(claimed, "unknown_outcome", str(error), final=True)
        except NotDone as error:
            self._failed(claimed, "not_done", str(error), final=False)
        except Exception as error:
            code = str(getattr(error, "code", type(error).__name__))
            if claimed.effect is Effect.ONCE:
                self._failed(claimed, "unknown_outcome", code, final=True)
            else:
                self._failed(claimed, code, type(error).__name__, final=False)

    def _call(self, claimed: Claimed, operation: Operation) -> Mapping[str, Json]:
        call = self._as_call(claimed, None)
        if claimed.effect is Effect.QUERY and claimed.attempt > 1 and operation.ask is not None:
            answer = operation.ask(call)
            if answer is not None:
                return answer
        return operation.run(call)

    @contextmanager
    def _renewed(self, claimed: Claimed) -> Iterator[None]:
        """Keep the lease while a handler works, so that a long one is not begun twice."""
        done = threading.Event()

        def renew() -> None:
            for _ in range(RENEWALS):
                if done.wait(self.lease / timedelta(seconds=2)):
                    return
                try:
                    self._renew(claimed)
                except Exception:
                    _log.exception("lease not renewed", extra={"worker": self.name})

        thread = threading.Thread(target=renew, name=f"{self.name}-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _renew(self, claimed: Claimed) -> None:
        mine = (job.c.id == claimed.id) & (job.c.owner == self.name) & (job.c.attempt == claimed.attempt)
        until = self.engine.clock.now() + self.lease
        with self.engine.db.transaction() as session:
            session.execute(update(job).where(mine, job.c.state.in_(("leased", "sent"))).values(lease_until=until))

    def _as_call(self, claimed: Claimed, tx: Session | None) -> Call:
        return Call(
            claimed.id, claimed.attempt, claimed.tenant, claimed.business_key, claimed.args, self.engine.clock.now(), tx
        )

    def _local(self, claimed: Claimed, operation: Operation) -> None:
        with self.engine.begin(claimed.instance_id, _key(claimed), actor=self.name) as tx:
            if self._holds(tx, claimed):
                result = accept(operation.signature, operation.run(self._as_call(claimed, tx.session)))
                tx.session.flush()
                crash_point("effected")
                _finish(tx, claimed, result)

    def _mark_sent(self, claimed: Claimed) -> bool:
        with self.engine.db.transaction() as session:
            row = open_job(session, claimed.id)
            if not self._mine(row, claimed):
                return False
            _set(session, claimed.id, state="sent")
        crash_point("sent")
        return True

    def _done(self, claimed: Claimed, result: Mapping[str, Json]) -> None:
        with self.engine.begin(claimed.instance_id, _key(claimed), actor=self.name) as tx:
            if self._holds(tx, claimed):
                _finish(tx, claimed, result)
            elif not tx.repeated:
                tx.note("job.late", {"job": str(claimed.id), "attempt": claimed.attempt, "result": dict(result)})

    def _bpmn_error(self, claimed: Claimed, operation: Operation, error: BpmnError) -> None:
        if error.code not in operation.signature.errors:
            self._failed(claimed, "error_undeclared", error.code, final=True)
            return
        with self.engine.begin(claimed.instance_id, _key(claimed), actor=self.name) as tx:
            if not self._holds(tx, claimed):
                return
            tx.note("job.error", {"job": str(claimed.id), "code": error.code}, task_id=claimed.task_id)
            caught = tx.job_error(claimed.task_id, error.code)
            if caught is False:
                _stop(
                    tx, open_job(tx.session, claimed.id), "error_uncaught", error.code, "no boundary event catches it"
                )
            else:
                _set(tx.session, claimed.id, state="done", error=error.code, finished_at=tx.now)

    def _failed(self, claimed: Claimed, code: str, text: str, *, final: bool) -> None:
        key = f"{_key(claimed)}:failed"
        with self.engine.begin(claimed.instance_id, key, actor=self.name) as tx:
            if not self._holds(tx, claimed):
                return
            row = open_job(tx.session, claimed.id)
            tx.note("job.failed", {"job": str(claimed.id), "attempt": claimed.attempt, "code": code})
            if final or claimed.attempt % MAX_ATTEMPTS == 0:
                _stop(tx, row, "unknown_outcome" if code == "unknown_outcome" else "job", code, text)
            else:
                delay = FIRST_DELAY * 2 ** ((claimed.attempt - 1) % MAX_ATTEMPTS) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
                again = tx.now + timedelta(seconds=delay)
                _set(tx.session, claimed.id, state="ready", owner=None, lease_until=None, run_at=again, error=code)

    def _holds(self, tx: Tx, claimed: Claimed) -> bool:
        return not tx.repeated and self._mine(open_job(tx.session, claimed.id), claimed)

    def _mine(self, row: Any, claimed: Claimed) -> bool:
        held = row.state in ("leased", "sent") and row.owner == self.name
        return bool(held and row.attempt == claimed.attempt)


def _key(claimed: Claimed) -> str:
    return f"job:{claimed.id}:{claimed.token}"


def _next(now: datetime) -> Any:
    """The next job that may run: due, and the first unfinished one of its lane."""
    earlier = job.alias("earlier")
    blocked = exists().where(
        and_(
            earlier.c.lane == job.c.lane,
            earlier.c.position < job.c.position,
            earlier.c.state.not_in(("done", "cancelled")),
        )
    )
    return (
        select(job)
        .where(job.c.state == "ready", job.c.run_at <= now, or_(job.c.lane.is_(None), ~blocked))
        .order_by(job.c.run_at, job.c.position)
        .limit(1)
        .with_for_update(skip_locked=True, of=job)
    )


def _set(session: Session, job_id: UUID, **values: Any) -> None:
    session.execute(update(job).where(job.c.id == job_id).values(**values))


def _finish(tx: Tx, claimed: Claimed, result: Mapping[str, Json]) -> None:
    tx.note("job.done", {"job": str(claimed.id), "operation": claimed.operation}, task_id=claimed.task_id)
    _set(tx.session, claimed.id, state="done", result=dict(result), error=None, finished_at=tx.now)
    tx.job_done(claimed.task_id, dict(result))


def _stop(tx: Tx, row: Any, kind: str, code: str, text: str) -> None:
    _set(tx.session, row.id, state="incident", error=code, lease_until=None)
    detail: dict[str, Json] = {"operation": row.operation, "attempt": row.attempt, "text": text}
    open_incident(tx, kind, code, detail, task_id=row.task_id, job_id=row.id)
