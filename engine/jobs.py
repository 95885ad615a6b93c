"""The one queue. A job is claimed under a lease, its effect carried out by its class, its result handed back by a command.

An attempt is counted when the job is claimed, so that a handler that kills its worker runs out of attempts too. A result
applies only while the claimant still holds that attempt; a late one is kept as evidence in the history and changes
nothing.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import incidents, messages, timers
from engine.api import Engine
from engine.claims import Claimed, claim
from engine.db import crash_point
from engine.errors import Busy
from engine.incidents import MAX_ATTEMPTS, open_incident
from engine.operations import BpmnError, Call, Effect, NotDone, Operation, Permanent, Unknown
from engine.promises import ResultMismatch, accept
from engine.runner import ModelStuck
from engine.state import StateUnreadable
from engine.tables import job
from engine.tx import Tx, open_job
from engine.values import Json

LEASE = timedelta(minutes=1)
"""How long a killed worker's job stays untouched. A living worker renews its lease at a third of it."""

FIRST_DELAY = 10.0
IDLE_WAIT = 0.5
RENEWALS = 180
"""How often a lease is renewed while its handler works; after that the handler is taken for stuck."""

PATIENCE = 10
"""How often a result is offered to a case others hold; each offer waits for the lock itself."""

Result = Mapping[str, Json] | None
Answer = TypeVar("Answer")
Command = Callable[[], None]

_log = logging.getLogger(__name__)


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
            except Busy:  # others hold the database just now
                busy = False
            except Exception:
                _log.exception("worker round failed", extra={"worker": self.name})
                busy = False
                stop.wait(1.0)
            if not busy:
                stop.wait(IDLE_WAIT)

    def _claim(self) -> Claimed | None:
        found = claim(self.engine.db, self.name, self.engine.clock.now(), self.lease)
        if found is not None:
            crash_point("claimed")
        return found

    def _expire(self) -> bool:
        """Take back what a dead worker held: try again, or an incident when it was sent or has no attempts left."""
        now = self.engine.clock.now()
        with self.engine.db.read() as session:
            lost = session.execute(
                select(job.c.id, job.c.instance_id, job.c.attempt, job.c.lease_until)
                .where(job.c.state.in_(("leased", "sent")), job.c.lease_until <= now)
                .limit(20)
            ).all()
        taken = [
            incidents.guarded(self.engine, row.instance_id, self.name, partial(self._take_back, row, now))
            for row in lost
        ]
        return any(taken)

    def _take_back(self, row: Any, now: datetime) -> bool:
        key = f"job:{row.id}:expired:{row.lease_until.isoformat()}"
        with self.engine.begin(row.instance_id, key, actor=self.name) as tx:
            found = open_job(tx.session, row.id)
            if tx.repeated or found.attempt != row.attempt or found.state not in ("leased", "sent"):
                return False
            if found.lease_until > now:  # its worker lives and renewed it since we looked
                return False
            if found.state == "sent":
                _stop(tx, found, "unknown_outcome", "lease_expired", "the worker died after the effect was begun")
            elif found.attempt % MAX_ATTEMPTS == 0:
                _stop(tx, found, "job", "attempts_spent", "the worker died at every attempt")
            else:
                _set(tx.session, row.id, state="ready", owner=None, lease_until=None, run_at=now)
            return True

    def _carry_out(self, claimed: Claimed) -> None:
        operation = self.operations.get(claimed.operation)
        if operation is None:
            self._failed(claimed, "operation_unbound", "this worker has no handler for it", final=True)
        elif claimed.effect is Effect.LOCAL:
            _insist(self._outcome(claimed, operation, lambda: _insist(lambda: self._local(claimed, operation))))
        elif claimed.effect is not Effect.ONCE or _insist(lambda: self._mark_sent(claimed)):
            with self._renewed(claimed):
                _insist(self._outcome(claimed, operation, lambda: self._called(claimed, operation)))

    def _outcome(self, claimed: Claimed, operation: Operation, attempt: Callable[[], Result]) -> Command:
        """Let the handler work; the command that reports what came of it."""
        try:
            result = attempt()
        except BpmnError as error:
            return partial(self._bpmn_error, claimed, operation, error)
        except ResultMismatch as error:
            happened = claimed.effect is Effect.ONCE  # the effect is out in the world: it must not be had a second time
            code = "unknown_outcome" if happened else error.code
            return partial(self._failed, claimed, code, str(error), final=True)
        except Permanent as error:
            return partial(self._failed, claimed, "permanent", str(error), final=True)
        except Unknown as error:
            return partial(self._failed, claimed, "unknown_outcome", str(error), final=True)
        except NotDone as error:
            return partial(self._failed, claimed, "not_done", str(error), final=False)
        except Exception as error:
            code = str(getattr(error, "code", type(error).__name__))
            if claimed.effect is Effect.ONCE:
                return partial(self._failed, claimed, "unknown_outcome", code, final=True)
            return partial(self._failed, claimed, code, type(error).__name__, final=False)
        if result is None:
            return _nothing
        return partial(self._reported, claimed, result)

    def _reported(self, claimed: Claimed, result: Mapping[str, Json]) -> None:
        """Hand the result to the case. When its model cannot take it, the effect is not repeated: a person looks."""
        try:
            self._done(claimed, result)
        except (ModelStuck, StateUnreadable) as error:
            self._failed(claimed, error.code, str(error), final=True, result=result)

    def _called(self, claimed: Claimed, operation: Operation) -> Mapping[str, Json]:
        result = self._call(claimed, operation)
        crash_point("effected")
        return accept(operation.signature, result)

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
                if done.wait(max(self.lease / timedelta(seconds=3), 0.1)):
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
        """Handler and completion in one transaction: there is nothing left to report."""
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

    def _failed(
        self, claimed: Claimed, code: str, text: str, *, final: bool, result: Mapping[str, Json] | None = None
    ) -> None:
        key = f"{_key(claimed)}:failed"
        with self.engine.begin(claimed.instance_id, key, actor=self.name) as tx:
            if not self._holds(tx, claimed):
                return
            row = open_job(tx.session, claimed.id)
            tx.note("job.failed", {"job": str(claimed.id), "attempt": claimed.attempt, "code": code})
            if final or claimed.attempt % MAX_ATTEMPTS == 0:
                _stop(tx, row, "unknown_outcome" if code == "unknown_outcome" else "job", code, text)
                if result is not None:
                    _set(tx.session, claimed.id, result=dict(result))
            else:
                delay = FIRST_DELAY * 2 ** ((claimed.attempt - 1) % MAX_ATTEMPTS) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
                again = tx.now + timedelta(seconds=delay)
                _set(tx.session, claimed.id, state="ready", owner=None, lease_until=None, run_at=again, error=code)

    def _holds(self, tx: Tx, claimed: Claimed) -> bool:
        return not tx.repeated and self._mine(open_job(tx.session, claimed.id), claimed)

    def _mine(self, row: Any, claimed: Claimed) -> bool:
        held = row.state in ("leased", "sent") and row.owner == self.name
        return bool(held and row.attempt == claimed.attempt)


def _insist(command: Callable[[], Answer]) -> Answer:
    """Carry out a command; while others hold the case, again: what was done outside must not be lost over a lock."""
    for _ in range(PATIENCE):
        try:
            return command()
        except Busy:
            continue
    return command()


def _nothing() -> None:
    """What was to be reported is written already."""


def _key(claimed: Claimed) -> str:
    return f"job:{claimed.id}:{claimed.token}"


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
